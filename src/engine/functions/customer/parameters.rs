//! Parameters, standard errors and covariances of a model as JSON text, bit for bit there and back.

use datafusion::common::{Result, exec_datafusion_err};
use serde_json::{Map, Value};

use crate::clv::{PurchaseModel, gamma_gamma, sbg};

/// Models that have parameters, with the aggregate that fits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Purchases(PurchaseModel),
    Spend,
    Subscription,
}

impl Model {
    /// Names of the parameters in their order.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Purchases(model) => model.param_names(),
            Self::Spend => &gamma_gamma::PARAM_NAMES,
            Self::Subscription => &sbg::PARAM_NAMES,
        }
    }

    fn source(self) -> String {
        match self {
            Self::Purchases(model) => format!("purchase_fit('{}', ...)", model.name()),
            Self::Spend => "spend_fit(...)".to_owned(),
            Self::Subscription => "subscription_fit(...)".to_owned(),
        }
    }

    /// Values by name, e.g. `{"r":0.5,"alpha":6.2}`; `None` unless there is a finite one for each name.
    pub(super) fn to_json(self, values: &[f64]) -> Option<String> {
        let names = self.names();
        if values.len() != names.len() {
            return None;
        }
        let mut object = Map::new();
        for (name, &value) in names.iter().zip(values) {
            object.insert((*name).to_owned(), Value::Number(serde_json::Number::from_f64(value)?));
        }
        Some(Value::Object(object).to_string())
    }

    /// A square matrix as its rows, e.g. `[[1.0,0.5],[0.5,2.0]]`; `None` if it is unknown or not finite.
    pub(super) fn matrix_to_json(self, values: &[f64]) -> Option<String> {
        let side = self.names().len();
        if values.len() != side * side {
            return None;
        }
        let number = |&value: &f64| serde_json::Number::from_f64(value).map(Value::Number);
        let rows: Option<Vec<Value>> = values
            .chunks(side)
            .map(|row| row.iter().map(number).collect::<Option<Vec<Value>>>().map(Value::Array))
            .collect();
        rows.map(|rows| Value::Array(rows).to_string())
    }

    /// Reads what [`Model::to_json`] writes.
    ///
    /// # Errors
    /// A text that is not an object with exactly these names and a number above 0 for each.
    pub(super) fn parse(self, function: &str, text: &str) -> Result<Vec<f64>> {
        let object: Option<Map<String, Value>> = serde_json::from_str(text).ok();
        let values = object.filter(|object| object.len() == self.names().len()).and_then(|object| {
            let value = |name: &&str| object.get(*name).and_then(Value::as_f64).filter(|value| *value > 0.0);
            self.names().iter().map(value).collect::<Option<Vec<f64>>>()
        });
        values.ok_or_else(|| {
            let (names, source) = (self.names().join(", "), self.source());
            exec_datafusion_err!(
                "{function}: `params` is a JSON object with a number above 0 for each of {names}: take `params` of {source}"
            )
        })
    }

    /// Reads what [`Model::matrix_to_json`] writes, row by row.
    ///
    /// # Errors
    /// A text that is not a square matrix of numbers of the right size.
    pub(super) fn parse_matrix(self, function: &str, text: &str) -> Result<Vec<f64>> {
        let side = self.names().len();
        let rows: Option<Vec<Vec<f64>>> = serde_json::from_str(text).ok();
        rows.filter(|rows| rows.len() == side && rows.iter().all(|row| row.len() == side))
            .map(|rows| rows.concat())
            .ok_or_else(|| {
                let source = self.source();
                exec_datafusion_err!(
                    "{function}: `covariance` is a JSON list of {side} lists of {side} numbers: take `covariance` of {source}"
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MODEL: Model = Model::Purchases(PurchaseModel::MbgNbd);

    #[test]
    fn what_is_no_parameter_is_refused() {
        for wrong in [
            "",
            "null",
            "[1,2,3,4]",
            r#"{"r":1,"alpha":1,"a":1}"#,
            r#"{"r":1,"alpha":1,"s":1,"beta":1}"#,
            r#"{"r":1,"alpha":1,"a":1,"b":0}"#,
            r#"{"r":1,"alpha":1,"a":1,"b":-1}"#,
            r#"{"r":1,"alpha":1,"a":1,"b":"1"}"#,
            r#"{"r":1,"alpha":1,"a":1,"b":1e999}"#,
            r#"{"r":1,"alpha":1,"a":1,"b":1,"c":1}"#,
        ] {
            assert!(MODEL.parse("p_alive", wrong).is_err(), "{wrong}");
        }
        assert_eq!(MODEL.to_json(&[1.0, f64::NAN, 1.0, 1.0]), None);
        assert_eq!(MODEL.to_json(&[1.0]), None);
        assert_eq!(MODEL.matrix_to_json(&[]), None);
        assert!(MODEL.parse_matrix("f", "[[1,2],[3,4]]").is_err());
    }

    proptest! {
        #[test]
        fn numbers_come_back_bit_for_bit(values in prop::array::uniform4(any::<f64>().prop_filter("finite and above 0", |v| v.is_finite() && *v > 0.0))) {
            let text = MODEL.to_json(&values).expect("finite");
            let read = MODEL.parse("p_alive", &text).expect("as written");
            prop_assert_eq!(read, values.to_vec());
            let matrix = [values, values, values, values].concat();
            let read = MODEL.parse_matrix("f", &MODEL.matrix_to_json(&matrix).expect("finite")).expect("as written");
            prop_assert_eq!(read, matrix);
        }
    }
}
