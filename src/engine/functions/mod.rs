//! SQL functions for mappings and models: one file a function, one table of them all.
//!
//! A function of texts is a [`TextFunction`]: a value that names it, documents it and computes one column; functions of numbers are
//! `customer` and `statistics`. `as_of`, `setting` and `local_date` carry values of a run and are registered by the model stage.

use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use rayon::ThreadPool;

mod affinity;
mod arguments;
pub mod as_of;
mod counted;
mod customer;
mod ga4_param;
mod inputs;
mod json_get;
mod kmeans;
mod normalize_email;
mod normalize_phone;
mod parse_boolean;
mod parse_date;
mod parse_decimal;
mod parse_timestamp;
mod reference;
pub mod setting;
mod statistics;
mod strip_apostrophe;
mod unparsed;
mod until;

use inputs::Inputs;
pub use reference::reference;
pub use unparsed::{UNPARSED_MAX, Unparsed};

/// What a user has to know of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Name.
    pub name: &'static str,
    /// Call with the names of its arguments, and the type it gives.
    pub signature: &'static str,
    /// What it does, also with nulls and with what it cannot read.
    pub description: &'static str,
    /// A call and its result.
    pub example: &'static str,
}

/// A function of texts. Arguments of other plain types are read as text.
struct TextFunction {
    doc: FunctionDoc,
    arguments: RangeInclusive<usize>,
    returns: fn() -> DataType,
    /// Checks a constant argument (position from 0, text) while a query is planned.
    check: fn(usize, &str) -> Result<()>,
    evaluate: fn(&Inputs) -> Result<ColumnarValue>,
}

/// For functions that take any text.
fn any(_: usize, _: &str) -> Result<()> {
    Ok(())
}

static TEXT_FUNCTIONS: [&TextFunction; 9] = [
    &ga4_param::FUNCTION,
    &json_get::FUNCTION,
    &normalize_email::FUNCTION,
    &normalize_phone::FUNCTION,
    &parse_boolean::FUNCTION,
    &parse_date::FUNCTION,
    &parse_decimal::FUNCTION,
    &parse_timestamp::FUNCTION,
    &strip_apostrophe::FUNCTION,
];

/// `local_date`, which the model stage has.
pub const LOCAL_DATE: FunctionDoc = FunctionDoc {
    name: "local_date",
    signature: "local_date(timestamp) → date",
    description: "The day of an instant in the pipeline's time zone: the one place where models cut days. A timestamp without a zone is UTC, a \
                  date stays as it is. Null for null and for instants outside the calendar.",
    example: "local_date('2024-03-30T23:30:00Z') = 2024-03-31 in Europe/Berlin",
};

/// Functions for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// A heading.
    pub title: &'static str,
    /// What they are for, in a sentence or two.
    pub purpose: &'static str,
    /// By name.
    pub functions: Vec<FunctionDoc>,
}

/// Every function of ours, by purpose.
#[must_use]
pub fn groups() -> Vec<Group> {
    let group = |title, purpose, mut functions: Vec<FunctionDoc>| {
        functions.sort_by_key(|doc| doc.name);
        Group { title, purpose, functions }
    };
    vec![
        group(
            "Mappings",
            "For the queries of sources, which read texts; models have them too.",
            TEXT_FUNCTIONS.iter().map(|function| function.doc).collect(),
        ),
        group(
            "Models",
            "For the queries of models and audits: what a run says to them, and aggregates that SQL lacks.",
            [as_of::DOC, setting::DOC, LOCAL_DATE]
                .into_iter()
                .chain(statistics::docs())
                .collect(),
        ),
        group(
            "Segments",
            "Groups of customers and of articles, and what a list of days says up to one of them.",
            vec![
                affinity::NEWEST_DOC,
                affinity::NEXT_DOC,
                affinity::PAIRS_DOC,
                kmeans::ASSIGN_DOC,
                kmeans::FIT_DOC,
                until::COUNT_DOC,
                until::LAST_DOC,
            ],
        ),
        group(
            "Customer value",
            "Aggregates that fit a model to customers, and functions that predict from its parameters. Times are whole days.",
            customer::docs(),
        ),
    ]
}

/// Every function of ours, by name.
#[must_use]
pub fn all() -> Vec<FunctionDoc> {
    let mut docs: Vec<FunctionDoc> = groups().into_iter().flat_map(|group| group.functions).collect();
    docs.sort_by_key(|doc| doc.name);
    docs
}

/// Registers the functions that need no run; texts that cannot be read go to `unparsed`, where one is given.
/// What an aggregate computes at its end runs on `threads`.
pub(super) fn register(session: &SessionContext, unparsed: Option<&Unparsed>, threads: &Arc<ThreadPool>) {
    for function in TEXT_FUNCTIONS {
        session.register_udf(ScalarUDF::new_from_impl(Registered {
            function,
            signature: Signature::user_defined(Volatility::Immutable),
            unparsed: unparsed.cloned(),
        }));
    }
    statistics::register(session, threads);
    customer::register(session, threads);
    session.register_udaf(AggregateUDF::new_from_impl(kmeans::KmeansFit::new()));
    session.register_udf(ScalarUDF::new_from_impl(kmeans::KmeansAssign::new()));
    session.register_udaf(AggregateUDF::new_from_impl(affinity::PairCountsFn::new()));
    session.register_udf(ScalarUDF::new_from_impl(affinity::NewestItems::new()));
    session.register_udf(ScalarUDF::new_from_impl(affinity::NextItem::new()));
    session.register_udf(ScalarUDF::new_from_impl(until::Before::new(until::What::Count)));
    session.register_udf(ScalarUDF::new_from_impl(until::Before::new(until::What::Last)));
}

/// A [`TextFunction`] in a session.
struct Registered {
    function: &'static TextFunction,
    signature: Signature,
    unparsed: Option<Unparsed>,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.function.doc.name)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.function.doc.name == other.function.doc.name && self.unparsed == other.unparsed
    }
}

impl Eq for Registered {}

impl Hash for Registered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.doc.name.hash(state);
    }
}

impl ScalarUDFImpl for Registered {
    fn name(&self) -> &str {
        self.function.doc.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok((self.function.returns)())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        for (position, constant) in args.scalar_arguments.iter().enumerate() {
            if let Some(text) = constant.and_then(|constant| constant.try_as_str().flatten()) {
                (self.function.check)(position, text)?;
            }
        }
        Ok(Arc::new(Field::new(self.name(), (self.function.returns)(), true)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let TextFunction { doc, arguments, .. } = self.function;
        if !arguments.contains(&types.len()) {
            return plan_err!("{} takes other arguments: {}", doc.name, doc.signature);
        }
        if let Some(nested) = types
            .iter()
            .find(|data_type| data_type.is_nested() || matches!(data_type, DataType::Binary))
        {
            return plan_err!("{} takes texts, not {nested}: {}", doc.name, doc.signature);
        }
        Ok(vec![DataType::Utf8; types.len()])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let inputs = Inputs::new(&args)?;
        let result = (self.function.evaluate)(&inputs)?;
        if let Some(unparsed) = &self.unparsed {
            unparsed.add(self.function.doc.name, inputs.take_unparsed());
        }
        Ok(result)
    }
}
