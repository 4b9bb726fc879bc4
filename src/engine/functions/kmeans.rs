//! `kmeans_fit` and `kmeans_assign`: personas in SQL, over `statistics::kmeans`.

use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::FunctionDoc;
use crate::statistics::kmeans::{self, CLUSTERS_MAX, Clusters, Options};

pub(super) const FIT_DOC: FunctionDoc = FunctionDoc {
    name: "kmeans_fit",
    signature: "kmeans_fit(features list of doubles, k_min bigint, k_max bigint, seed bigint) → text",
    description: "Aggregate: k-means on standardized features, k between k_min and k_max (at most 20) by the silhouette. Gives JSON for \
                  kmeans_assign: k, silhouette, silhouettes by k, points, sizes, features and centers, the largest cluster first. Rows in \
                  which a feature is null are left out; null without a row. The order of rows changes nothing.",
    example: "json_get(kmeans_fit(make_array(ln(revenue), ln(orders)), 2, 8, 1), 'k') = '4'",
};

pub(super) const ASSIGN_DOC: FunctionDoc = FunctionDoc {
    name: "kmeans_assign",
    signature: "kmeans_assign(clusters text, features list of doubles) → bigint",
    description: "Number of the nearest cluster, from 1, of what kmeans_fit gave. Null if the clusters or a feature is null, or there are \
                  more or fewer features than were fitted.",
    example: "kmeans_assign(clusters, make_array(ln(revenue), ln(orders))) = 2",
};

fn features_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
}

/// The aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct KmeansFit {
    signature: Signature,
}

impl KmeansFit {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for KmeansFit {
    fn name(&self) -> &str {
        FIT_DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [DataType::List(_), k_min, k_max, seed] if [k_min, k_max, seed].iter().all(|number| number.is_numeric()) => {
                Ok(vec![features_type(), DataType::Int64, DataType::Int64, DataType::Int64])
            }
            _ => plan_err!("{} takes other arguments: {}", FIT_DOC.name, FIT_DOC.signature),
        }
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let number = |name: &str| Arc::new(Field::new(name, DataType::Int64, true));
        Ok(vec![
            Arc::new(Field::new("points", features_type(), true)),
            number("dimensions"),
            number("k_min"),
            number("k_max"),
            number("seed"),
        ])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Points::default()))
    }
}

/// Points seen so far, one after the other.
#[derive(Debug, Default)]
struct Points {
    values: Vec<f64>,
    dimensions: usize,
    options: Option<Options>,
}

impl Points {
    /// Every row says the same; the first that is complete counts.
    fn read_options(&mut self, numbers: &[ArrayRef]) -> Result<()> {
        if self.options.is_some() {
            return Ok(());
        }
        let first = |position: usize| numbers[position].as_primitive::<Int64Type>().iter().flatten().next();
        let (Some(k_min), Some(k_max), Some(seed)) = (first(0), first(1), first(2)) else {
            return Ok(());
        };
        let count = |number: i64| usize::try_from(number).ok().filter(|k| (1..=CLUSTERS_MAX).contains(k));
        let (Some(k_min), Some(k_max)) = (count(k_min), count(k_max)) else {
            return exec_err!("kmeans_fit: k_min is {k_min} and k_max {k_max}, they must lie between 1 and {CLUSTERS_MAX}");
        };
        if k_min > k_max {
            return exec_err!("kmeans_fit: k_min is {k_min}, more than k_max, which is {k_max}");
        }
        let seed = seed.cast_unsigned();
        self.options = Some(Options { k_min, k_max, seed });
        Ok(())
    }

    fn add(&mut self, point: &[f64], dimensions: usize) -> Result<()> {
        if self.dimensions == 0 {
            self.dimensions = dimensions;
        }
        if self.dimensions != dimensions {
            return exec_err!("kmeans_fit: a row has {dimensions} features, another {}", self.dimensions);
        }
        self.values.extend_from_slice(point);
        Ok(())
    }
}

impl Accumulator for Points {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.read_options(&values[1..])?;
        let lists = values[0].as_list::<i32>();
        for row in (0..lists.len()).filter(|&row| lists.is_valid(row)) {
            let point = lists.value(row);
            if point.null_count() == 0 && !point.is_empty() {
                self.add(point.as_primitive::<Float64Type>().values(), point.len())?;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.read_options(&states[2..])?;
        let (lists, dimensions) = (states[0].as_list::<i32>(), states[1].as_primitive::<Int64Type>());
        for row in (0..lists.len()).filter(|&row| lists.is_valid(row) && dimensions.value(row) > 0) {
            let points = lists.value(row);
            let dimensions = usize::try_from(dimensions.value(row)).unwrap_or(0);
            self.add(points.as_primitive::<Float64Type>().values(), dimensions)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let points: Vec<Option<f64>> = std::mem::take(&mut self.values).into_iter().map(Some).collect();
        let list = ListArray::from_iter_primitive::<Float64Type, _, _>([Some(points)]);
        let number = |read: fn(&Options) -> i64| ScalarValue::Int64(self.options.as_ref().map(read));
        Ok(vec![
            ScalarValue::List(Arc::new(list)),
            ScalarValue::Int64(Some(self.dimensions as i64)),
            number(|options| options.k_min as i64),
            number(|options| options.k_max as i64),
            number(|options| options.seed.cast_signed()),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let clusters = self.options.and_then(|options| kmeans::fit(&self.values, self.dimensions, options));
        let text = clusters.map(|clusters| serde_json::to_string(&clusters)).transpose();
        Ok(ScalarValue::Utf8View(
            text.map_err(|error| DataFusionError::External(error.into()))?,
        ))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.values.capacity() * size_of::<f64>()
    }
}

/// The scalar function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct KmeansAssign {
    signature: Signature,
}

impl KmeansAssign {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for KmeansAssign {
    fn name(&self) -> &str {
        ASSIGN_DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null,
                DataType::List(_),
            ] => Ok(vec![DataType::Utf8View, features_type()]),
            _ => plan_err!("{} takes other arguments: {}", ASSIGN_DOC.name, ASSIGN_DOC.signature),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (texts, points) = (args.args[0].to_array(args.number_rows)?, args.args[1].to_array(args.number_rows)?);
        let (texts, points) = (texts.as_string_view(), points.as_list::<i32>());
        let mut known: Option<(&str, Clusters)> = None;
        let mut assigned: Vec<Option<i64>> = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            if texts.is_null(row) || points.is_null(row) {
                assigned.push(None);
                continue;
            }
            let text = texts.value(row);
            // Nearly always all rows have the same clusters: they are parsed once.
            if known.as_ref().is_none_or(|(parsed, _)| *parsed != text) {
                let Ok(clusters) = serde_json::from_str(text) else {
                    return exec_err!("kmeans_assign: its first argument is no result of kmeans_fit");
                };
                known = Some((text, clusters));
            }
            let point = points.value(row);
            let nearest = known.as_ref().filter(|_| point.null_count() == 0);
            let nearest = nearest.and_then(|(_, clusters)| clusters.assign(point.as_primitive::<Float64Type>().values()));
            assigned.push(nearest.map(|position| position as i64 + 1));
        }
        Ok(ColumnarValue::Array(Arc::new(Int64Array::from(assigned))))
    }
}
