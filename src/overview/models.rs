//! Chapter on forecasts: how they did on a part of the data that they had not seen, and what was fitted.

use serde_json::json;

use super::answers::Answers;
use super::figure::{Figure, absent, figure, or_absent};
use super::records::text;
use crate::page::Html;
use crate::page::table::{Format, Row, table};

/// Calibration, scorecard, parameters.
pub fn models(answers: &Answers) -> Html {
    let mut html = Html::default();
    html.raw("<p>Every run fits the models on the past, predicts the last part of it, and compares. To rank customers, plain recency does about as well as a ")
        .raw("model; what a model adds is numbers that can be added up.</p>\n<div class=\"block\">");
    html.html(&or_absent(
        "Calibration on the holdout",
        answers.rows("calibration").map(calibration),
    ));
    html.raw("</div><div class=\"block\"><h3>Scorecard</h3><p class=\"aid\">Bias: predicted over observed purchases, less 1. MAE: mean absolute error of purchases a customer. AUC: how well ")
        .raw("it ranks who buys, 0.5 is chance. Brier and calibration error: smaller is better.</p>");
    match answers.rows("scorecard") {
        Ok(rows) => html.html(&table(&SCORECARD, rows)),
        Err(why) => html.html(&absent(&why)),
    };
    if let Ok(rows) = answers.rows("parameters") {
        html.raw("<details><summary>Parameters with standard errors</summary>")
            .html(&table(
                &[
                    ("model_name", "Model", Format::Words),
                    ("params", "Parameters", Format::Text),
                    ("standard_errors", "Standard errors", Format::Text),
                ],
                rows,
            ))
            .raw("</details>");
    }
    html.raw("</div>");
    html
}

const SCORECARD: [crate::page::table::Column; 13] = [
    ("model_name", "Model", Format::Words),
    ("is_chosen", "Chosen", Format::Text),
    ("model_status", "Status", Format::Words),
    ("n", "Customers", Format::Count),
    ("log_likelihood", "Log-likelihood", Format::Number(1)),
    ("aic", "AIC", Format::Number(1)),
    ("converged", "Converged", Format::Text),
    ("holdout_bias", "Bias", Format::Share),
    ("holdout_mae", "MAE", Format::Number(3)),
    ("holdout_correlation", "Correlation", Format::Number(3)),
    ("holdout_auc", "AUC", Format::Number(3)),
    ("holdout_brier", "Brier", Format::Number(3)),
    ("holdout_calibration_error", "Calibration error", Format::Number(3)),
];

fn calibration(rows: &[Row]) -> Html {
    let named = |row: &Row| {
        let mut row = row.clone();
        let name = text(&row, "model_name").replace('_', " ");
        row.insert("model".to_owned(), json!(name));
        row
    };
    let rows: Vec<Row> = rows.iter().map(named).collect();
    figure(&Figure {
        chart: "calibration",
        title: "Calibration on the holdout",
        aid: "Customers in tenths of the predicted probability to buy nothing in the holdout; on the diagonal it came true, above it more stayed away than predicted.",
        rows: &rows,
        columns: &[
            ("model", "Model", Format::Text),
            ("bin", "Tenth", Format::Count),
            ("customers_count", "Customers", Format::Count),
            ("predicted_share", "Predicted", Format::Share),
            ("observed_share", "Observed", Format::Share),
        ],
    })
}
