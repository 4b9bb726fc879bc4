//! `newest_items`, `pair_counts` and `next_item`: what customers buy together and what comes next, over `statistics::affinity`.

use std::mem::size_of;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, Int64Builder, ListArray, ListBuilder, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type, UInt32Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::FunctionDoc;
use crate::statistics::affinity::{Neighbors, Next, PairCounts, newest};

pub(super) const NEWEST_DOC: FunctionDoc = FunctionDoc {
    name: "newest_items",
    signature: "newest_items(dated list of bigints, count_max bigint) → list of bigints",
    description: "Items of a list of `day * 4294967296 + item`, the newest first, each once, at most count_max. Null for a null list.",
    example: "newest_items([1 * 4294967296 + 7, 2 * 4294967296 + 9], 5) = [9, 7]",
};

pub(super) const PAIRS_DOC: FunctionDoc = FunctionDoc {
    name: "pair_counts",
    signature: "pair_counts(items list of bigints, count_min bigint) → list of structs",
    description: "Aggregate: how many rows hold each two items, and each item (as a pair with itself), as structs of high_item, low_item and \
                  rows_count, where that is at least count_min. Items are numbers from 1 to 5000, others are left out. The order of rows \
                  changes nothing. Null without a row.",
    example: "pair_counts([1, 2], 1) = [{1, 1, 1}, {2, 1, 1}, {2, 2, 1}]",
};

pub(super) const NEXT_DOC: FunctionDoc = FunctionDoc {
    name: "next_item",
    signature: "next_item(items list of bigints, neighbors text) → struct",
    description: "The item that is not among items and has the highest sum of scores over them, as a struct of item, because_of (the item \
                  that speaks most for it) and score. neighbors has parts `item:neighbor:score` separated by blanks. Null if nothing goes \
                  with the items, or one of the arguments is null.",
    example: "next_item([1, 2], '1:7:0.5 2:7:0.25 2:8:0.7') = {7, 1, 0.75}",
};

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

fn is_list(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::Null)
}

/// The numbers of one list, nulls left out.
fn numbers(list: &ArrayRef) -> Vec<i64> {
    list.as_primitive::<Int64Type>().iter().flatten().collect()
}

/// `newest_items`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NewestItems {
    signature: Signature,
}

impl NewestItems {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for NewestItems {
    fn name(&self) -> &str {
        NEWEST_DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_of(DataType::Int64))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [dated, count_max] if is_list(dated) && count_max.is_numeric() => Ok(vec![list_of(DataType::Int64), DataType::Int64]),
            _ => plan_err!("{} takes other arguments: {}", NEWEST_DOC.name, NEWEST_DOC.signature),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (dated, count_max) = (args.args[0].to_array(args.number_rows)?, args.args[1].to_array(args.number_rows)?);
        let (dated, count_max) = (dated.as_list::<i32>(), count_max.as_primitive::<Int64Type>());
        let mut items = ListBuilder::new(Int64Builder::new());
        for row in 0..dated.len() {
            let is_known = dated.is_valid(row) && count_max.is_valid(row);
            if is_known {
                let count_max = usize::try_from(count_max.value(row)).unwrap_or(0);
                items.values().append_slice(&newest(&numbers(&dated.value(row)), count_max));
            }
            items.append(is_known);
        }
        Ok(ColumnarValue::Array(Arc::new(items.finish())))
    }
}

/// `pair_counts`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PairCountsFn {
    signature: Signature,
}

impl PairCountsFn {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

fn pair_fields() -> Fields {
    ["high_item", "low_item", "rows_count"]
        .map(|name| Field::new(name, DataType::Int64, true))
        .to_vec()
        .into()
}

impl AggregateUDFImpl for PairCountsFn {
    fn name(&self) -> &str {
        PAIRS_DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_of(DataType::Struct(pair_fields())))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [items, count_min] if is_list(items) && count_min.is_numeric() => Ok(vec![list_of(DataType::Int64), DataType::Int64]),
            _ => plan_err!("{} takes other arguments: {}", PAIRS_DOC.name, PAIRS_DOC.signature),
        }
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("triangle", list_of(DataType::UInt32), true)),
            Arc::new(Field::new("count_min", DataType::Int64, true)),
        ])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Pairs::default()))
    }
}

#[derive(Debug, Default)]
struct Pairs {
    counts: PairCounts,
    count_min: Option<i64>,
}

impl Pairs {
    fn read_minimum(&mut self, counts: &ArrayRef) {
        self.count_min = self.count_min.or_else(|| counts.as_primitive::<Int64Type>().iter().flatten().next());
    }
}

impl Accumulator for Pairs {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.read_minimum(&values[1]);
        let lists = values[0].as_list::<i32>();
        for row in (0..lists.len()).filter(|&row| lists.is_valid(row)) {
            self.counts.add(&numbers(&lists.value(row)));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.read_minimum(&states[1]);
        let lists = states[0].as_list::<i32>();
        for row in (0..lists.len()).filter(|&row| lists.is_valid(row)) {
            let triangle = lists.value(row).as_primitive::<UInt32Type>().values().to_vec();
            self.counts.merge(&PairCounts::from_triangle(triangle));
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let triangle = self.counts.triangle().iter().copied().map(Some);
        let list = ListArray::from_iter_primitive::<UInt32Type, _, _>([Some(triangle)]);
        Ok(vec![ScalarValue::List(Arc::new(list)), ScalarValue::Int64(self.count_min)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let count_min = self.count_min.map(|count_min| u32::try_from(count_min.max(0)).unwrap_or(u32::MAX));
        let found: Vec<(u32, u32, u32)> = count_min.into_iter().flat_map(|count_min| self.counts.counts(count_min)).collect();
        let column = |read: fn(&(u32, u32, u32)) -> u32| -> ArrayRef {
            Arc::new(found.iter().map(|pair| i64::from(read(pair))).collect::<Int64Array>())
        };
        let columns = vec![column(|pair| pair.0), column(|pair| pair.1), column(|pair| pair.2)];
        let pairs: ArrayRef = Arc::new(StructArray::try_new(pair_fields(), columns, None)?);
        let field = Arc::new(Field::new_list_field(DataType::Struct(pair_fields()), true));
        let nulls = NullBuffer::from(vec![count_min.is_some()]);
        let list = ListArray::try_new(field, OffsetBuffer::from_lengths([pairs.len()]), pairs, Some(nulls))?;
        Ok(ScalarValue::List(Arc::new(list)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + size_of_val(self.counts.triangle())
    }
}

/// `next_item`.
#[derive(Debug)]
pub(super) struct NextItem {
    signature: Signature,
    /// The last neighbors that were read: nearly always all rows of a query have the same.
    read: Mutex<Option<(String, Arc<Neighbors>)>>,
}

impl NextItem {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            read: Mutex::default(),
        }
    }

    fn neighbors(&self, text: &str) -> Result<Arc<Neighbors>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, neighbors)) = read.as_ref().filter(|(known, _)| known == text) {
            debug_assert_eq!(known, text);
            return Ok(Arc::clone(neighbors));
        }
        let Some(neighbors) = Neighbors::parse(text).map(Arc::new) else {
            return exec_err!("next_item: its second argument has no parts `item:neighbor:score`");
        };
        *read = Some((text.to_owned(), Arc::clone(&neighbors)));
        Ok(neighbors)
    }
}

impl PartialEq for NextItem {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for NextItem {}

impl std::hash::Hash for NextItem {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        NEXT_DOC.name.hash(state);
    }
}

fn next_fields() -> Fields {
    vec![
        Field::new("item", DataType::Int64, true),
        Field::new("because_of", DataType::Int64, true),
        Field::new("score", DataType::Float64, true),
    ]
    .into()
}

impl ScalarUDFImpl for NextItem {
    fn name(&self) -> &str {
        NEXT_DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(next_fields()))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [items, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null] if is_list(items) => {
                Ok(vec![list_of(DataType::Int64), DataType::Utf8View])
            }
            _ => plan_err!("{} takes other arguments: {}", NEXT_DOC.name, NEXT_DOC.signature),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (lists, texts) = (args.args[0].to_array(args.number_rows)?, args.args[1].to_array(args.number_rows)?);
        let (lists, texts) = (lists.as_list::<i32>(), texts.as_string_view());
        let mut known: Option<(&str, Arc<Neighbors>)> = None;
        let mut next: Vec<Option<Next>> = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            if lists.is_null(row) || texts.is_null(row) {
                next.push(None);
                continue;
            }
            let text = texts.value(row);
            // Rows of one query share the text itself: comparing where it lies is enough, and it may be long.
            if known.as_ref().is_none_or(|(read, _)| !std::ptr::eq(*read, text)) {
                known = Some((text, self.neighbors(text)?));
            }
            next.push(known.as_ref().and_then(|(_, neighbors)| neighbors.next(&numbers(&lists.value(row)))));
        }
        let numbers_of = |read: fn(&Next) -> u32| -> ArrayRef {
            Arc::new(next.iter().map(|next| next.as_ref().map(|next| i64::from(read(next)))).collect::<Int64Array>())
        };
        let scores: ArrayRef = Arc::new(next.iter().map(|next| next.map(|next| next.score)).collect::<Float64Array>());
        let columns = vec![numbers_of(|next| next.item), numbers_of(|next| next.because_of), scores];
        let nulls = NullBuffer::from_iter(next.iter().map(Option::is_some));
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(next_fields(), columns, Some(nulls))?)))
    }
}
