//! Aggregates over counted rows: equal rows are one group with a count, so that the result depends on neither order nor partitions.
//!
//! A function packs a row into a few integers, and what all rows come to is computed once from the sorted groups. Partial states are
//! the groups as lists of integers, which merge by addition: the work spreads over threads now and machines later.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Expr, GroupsAccumulator, Signature, Volatility,
};
use rustc_hash::FxHashMap;

use super::FunctionDoc;
use super::arguments::{Arguments, Values};

/// A row as integers.
pub(super) type Key<const N: usize> = [u64; N];

/// An aggregate that looks at distinct rows only. The last optional argument, where there is one, is the weight: how many rows a row
/// stands for.
pub(super) struct CountedFunction<const N: usize> {
    pub doc: FunctionDoc,
    pub arguments: Arguments,
    pub returns: fn() -> DataType,
    /// The argument that is a constant, if there is one, and a check of its value while a query is planned.
    pub constant: Option<ConstantArgument>,
    /// A row as integers, `None` if it does not count.
    pub key: fn(&Values, usize, Option<&ScalarValue>) -> Result<Option<Key<N>>>,
    /// The result of all groups in ascending order, with the constant argument.
    pub finish: fn(Option<&ScalarValue>, &[(Key<N>, u64)]) -> Result<ScalarValue>,
}

/// An argument with the same value in all rows.
#[derive(Clone, Copy)]
pub(super) struct ConstantArgument {
    /// From 0.
    pub position: usize,
    /// Whether a column will do as well.
    pub may_be_column: bool,
    pub check: fn(&ScalarValue) -> Result<()>,
}

impl<const N: usize> CountedFunction<N> {
    /// The function for a session.
    pub(super) fn registered(&'static self) -> AggregateUDF {
        AggregateUDF::new_from_impl(Registered {
            function: self,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    }

    /// The value of the constant argument; `None` if there is none, or a column in its place.
    fn constant(&self, args: &AccumulatorArgs) -> Result<Option<ScalarValue>> {
        let Some(constant) = self.constant else { return Ok(None) };
        let Some(expression) = args.exprs.get(constant.position) else {
            return Ok(None);
        };
        let nothing = RecordBatch::new_empty(Arc::new(args.schema.clone()));
        match expression.evaluate(&nothing)? {
            ColumnarValue::Scalar(value) => {
                (constant.check)(&value)?;
                Ok(Some(value))
            }
            ColumnarValue::Array(_) if constant.may_be_column => Ok(None),
            ColumnarValue::Array(_) => {
                let place = constant.position + 1;
                plan_err!("{}: argument {place} is a constant: {}", self.doc.name, self.doc.signature)
            }
        }
    }
}

/// A [`CountedFunction`] in a session.
struct Registered<const N: usize> {
    function: &'static CountedFunction<N>,
    signature: Signature,
}

impl<const N: usize> std::fmt::Debug for Registered<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.function.doc.name)
    }
}

impl<const N: usize> PartialEq for Registered<N> {
    fn eq(&self, other: &Self) -> bool {
        self.function.doc.name == other.function.doc.name
    }
}

impl<const N: usize> Eq for Registered<N> {}

impl<const N: usize> Hash for Registered<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.doc.name.hash(state);
    }
}

impl<const N: usize> AggregateUDFImpl for Registered<N> {
    fn name(&self) -> &str {
        self.function.doc.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok((self.function.returns)())
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.arguments.coerce(&self.function.doc, types)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = DataType::List(Arc::new(Field::new_list_field(DataType::UInt64, true)));
        let parts = (0..N).map(|part| format!("key_{part}")).chain(["count".to_owned()]);
        Ok(parts
            .map(|part| Arc::new(Field::new(format_state_name(args.name, &part), list.clone(), true)))
            .collect())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            let name = self.function.doc.name;
            return plan_err!("{name} counts equal rows: DISTINCT would drop customers. Leave it out, or select distinct rows first");
        }
        Ok(Box::new(Counter {
            function: self.function,
            constant: self.function.constant(&args)?,
            counts: FxHashMap::default(),
        }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        false
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        exec_err!("{} accumulates one group at a time", self.function.doc.name)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    /// Changes nothing: the one place where a planner shows the constants of an aggregate.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        let constant = self.function.constant?;
        Some(Box::new(move |call: AggregateFunction, _| {
            if let Some(Expr::Literal(value, _)) = call.params.args.get(constant.position) {
                (constant.check)(value)?;
            }
            Ok(Expr::AggregateFunction(call))
        }))
    }
}

/// The groups of one aggregate so far.
struct Counter<const N: usize> {
    function: &'static CountedFunction<N>,
    constant: Option<ScalarValue>,
    counts: FxHashMap<Key<N>, u64>,
}

impl<const N: usize> std::fmt::Debug for Counter<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} groups", self.function.doc.name, self.counts.len())
    }
}

impl<const N: usize> Counter<N> {
    fn add(&mut self, key: Key<N>, weight: u64) {
        let count = self.counts.entry(key).or_default();
        *count = count.saturating_add(weight);
    }

    fn sorted(&self) -> Vec<(Key<N>, u64)> {
        let mut groups: Vec<_> = self.counts.iter().map(|(&key, &count)| (key, count)).collect();
        groups.sort_unstable();
        groups
    }
}

impl<const N: usize> Accumulator for Counter<N> {
    fn update_batch(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        let values = Values::of_batch(arrays)?;
        let Arguments { required, optional } = self.function.arguments;
        let weight_at = required.len() + optional.len().saturating_sub(1);
        let has_weight = !optional.is_empty() && values.has(weight_at);
        for row in 0..values.rows() {
            let weight = if has_weight { values.count(weight_at, row) } else { Some(1) };
            let Some(weight @ 1..) = weight else { continue };
            if let Some(key) = (self.function.key)(&values, row, self.constant.as_ref())? {
                self.add(key, weight);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        (self.function.finish)(self.constant.as_ref(), &self.sorted())
    }

    fn size(&self) -> usize {
        // A hash table keeps one slot in eight free, and a byte a slot.
        let slots = self.counts.capacity().saturating_mul(8) / 7;
        let constant = self.constant.as_ref().map_or(0, ScalarValue::size);
        size_of_val(self) + constant + slots.saturating_mul(size_of::<(Key<N>, u64)>() + 1)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let groups = self.sorted();
        let parts = (0..N).map(|part| groups.iter().map(|(key, _)| key[part]).collect::<UInt64Array>());
        let counts = groups.iter().map(|(_, count)| *count).collect::<UInt64Array>();
        Ok(parts
            .chain([counts])
            .map(|values| SingleRowListArrayBuilder::new(Arc::new(values)).build_list_scalar())
            .collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists: Vec<_> = states.iter().filter_map(|state| state.as_list_opt::<i32>()).collect();
        if lists.len() != N + 1 {
            return exec_err!("{}: a partial state of another function", self.function.doc.name);
        }
        for row in (0..lists[N].len()).filter(|&row| lists[N].is_valid(row)) {
            let parts: Vec<ArrayRef> = lists.iter().map(|list| list.value(row)).collect();
            let numbers: Vec<&UInt64Array> = parts.iter().filter_map(|part| part.as_primitive_opt::<UInt64Type>()).collect();
            let columns: &[&UInt64Array; N] = numbers
                .first_chunk()
                .filter(|_| numbers.len() == N + 1)
                .ok_or_else(|| exec_datafusion_err!("{}: a partial state of another type", self.function.doc.name))?;
            for group in 0..numbers[N].len() {
                self.add(columns.map(|column| column.value(group)), numbers[N].value(group));
            }
        }
        Ok(())
    }
}

/// A finite float as an integer that sorts as the float does.
pub(super) fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// The float behind [`ordered`].
pub(super) fn unordered(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_sort_as_their_integers() {
        let values = [-1e308, -1.5, -1e-308, 0.0, 5e-324, 1.0, 2.5, 1e308];
        assert!(values.map(ordered).is_sorted());
        assert_eq!(values.map(|value| unordered(ordered(value))), values);
    }
}
