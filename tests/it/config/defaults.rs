#[test]
fn tmp_schema() {
    let text = serde_json::to_string_pretty(&stammkunde::config::json_schema()).expect("x");
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/pipeline.schema.json"), text + "\n").expect("y");
}
