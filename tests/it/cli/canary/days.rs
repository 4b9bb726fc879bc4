//! Bad days: what can be wrong with data, project and version, full of values that an error could quote.

use std::io::Write;

use super::super::support::{CRM_HEADER, Project, SHOP_HEADER, crm_row, listing};

/// A bad day: what happens to a project with a published version, and what then ends how.
pub struct Bad {
    pub name: &'static str,
    pub happens: fn(&Project),
    pub calls: &'static [(&'static str, i32)],
}

const RUN: (&str, i32) = ("run {project} --as-of 2026-12-01", 0);

const fn run_ends_with(code: i32) -> (&'static str, i32) {
    (RUN.0, code)
}

/// Data that are not what they should be.
pub const DATA: [Bad; 10] = [
    Bad {
        name: "rows are ragged beyond the gate, with values that no date and no number can be",
        happens: |project| {
            for _ in 0..9 {
                project.append("exports/crm.csv", "C-9;Zwetschkenbaum;Quirinalda");
            }
        },
        calls: &[
            run_ends_with(1),
            ("plan {project}", 1),
            ("run {project} --dry-run", 1),
            ("resolve {project} --out {project}/x.parquet", 1),
        ],
    },
    Bad {
        name: "values are rejected one by one",
        happens: |project| {
            project.append(
                "exports/crm.csv",
                "C-710;K;;Quirinalda;Zwetschkenbaum;;;Quirinalda Zwetschkenbaum;;;;Zwetschkenbaum",
            );
            project.append(
                "exports/shop.csv",
                "S-9,zwetschkenbaum@kanarienpost.example,Quirinalda,1,Zwetschkenbaum,Quirinalda",
            );
        },
        calls: &[run_ends_with(0), ("plan {project}", 0)],
    },
    Bad {
        name: "customers hold too much",
        happens: |project| {
            project.append(
                "pipeline.yaml",
                "gates: {customer_records_max: 0, customer_birth_dates_max: 0, customer_given_names_max: 0}",
            )
        },
        calls: &[run_ends_with(1), ("run {project} --dry-run", 1)],
    },
    Bad {
        name: "a source shrinks, empties and ages",
        happens: |project| {
            project.write_csv("exports/crm.csv", CRM_HEADER, &[crm_row(1)]);
            project.write_csv("exports/shop.csv", SHOP_HEADER, &[]);
            project.append("pipeline.yaml", "gates: {freshness_days_max: 1}");
        },
        calls: &[run_ends_with(1), ("run {project} --dry-run", 1)],
    },
    Bad {
        name: "a file is cut off in its compression",
        happens: |project| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
            packed
                .write_all(project.read("exports/crm.csv").repeat(9).as_bytes())
                .expect("gzip");
            let packed = packed.finish().expect("gzip");
            std::fs::write(project.file("exports/crm2.csv"), &packed[..packed.len() / 2]).expect("a file");
        },
        calls: &[run_ends_with(3), ("plan {project}", 3), ("validate {project}", 0)],
    },
    Bad {
        name: "Parquet is damaged in its footer",
        happens: |project| {
            let people = "Quirinalda Zwetschkenbaum quirinalda.z@kanarienpost.example ".repeat(30);
            std::fs::write(project.file("exports/shop.csv"), format!("PAR1{people}\u{1}\u{0}\u{0}\u{0}PAR1")).expect("a file");
            project.edit(
                "pipeline.yaml",
                "    files: exports/shop*.csv\n    format: csv",
                "    files: exports/shop*.csv\n    format: parquet",
            );
        },
        calls: &[run_ends_with(3), ("plan {project}", 3)],
    },
    Bad {
        name: "JSON lines are no JSON",
        happens: |project| {
            project.write(
                "exports/shop.csv",
                "{\"Order\": \"1\", \"Email\": \"quirinalda.z@kanarienpost.example\n{\"Name\": Zwetschkenbaum}\n",
            );
            project.edit(
                "pipeline.yaml",
                "    files: exports/shop*.csv\n    format: csv",
                "    files: exports/shop*.csv\n    format: jsonl",
            );
        },
        calls: &[run_ends_with(1), ("plan {project}", 1)],
    },
    Bad {
        name: "a file is not in the encoding that was said, and its header is a row",
        happens: |project| {
            let bytes =
                [b"Quirinalda;Zwetschkenbaum;quirinalda.z@kanarienpost.example;\xff\xfe\x81;0151 99887766\n".as_slice(); 4].concat();
            std::fs::write(project.file("exports/crm3.csv"), bytes).expect("a file");
            project.edit("pipeline.yaml", "  shop:\n", "    contract: freeze\n  shop:\n");
        },
        calls: &[run_ends_with(3), ("plan {project}", 3)],
    },
    Bad {
        name: "people decide what nobody understands",
        happens: |project| {
            project.write(
                "decisions/a.csv",
                "decision,left_source,left_record_id,right_source,right_record_id,decided_by,decided_at,reason\n\
                 perhaps,shop,quirinalda.z@kanarienpost.example,crm,Zwetschkenbaum,Quirinalda,,Zwetschkenbaum is her mother\n",
            );
        },
        calls: &[
            run_ends_with(3),
            ("plan {project}", 3),
            ("review {project}", 3),
            ("explain {project} crm:C-700", 0),
        ],
    },
    Bad {
        name: "people contradict each other and decide about nobody",
        happens: |project| {
            let pair = "shop,quirinalda.z@kanarienpost.example,crm,C-700";
            let header = "decision,left_source,left_record_id,right_source,right_record_id,decided_by,decided_at,reason";
            project.write(
                "decisions/a.csv",
                &format!("{header}\nmust_link,{pair},Quirinalda Zwetschkenbaum,,\ncannot_link,{pair},,,Zwetschkenbaum\n"),
            );
        },
        calls: &[run_ends_with(3), ("review {project}", 3)],
    },
];

/// Mistakes of a project, and a version that is damaged.
pub const PROJECT: [Bad; 12] = [
    Bad {
        name: "a mapping casts what it must not",
        happens: |project| project.edit("sources/crm.contacts.sql", "\"City\" AS city", "CAST(\"Family\" AS INT) AS city"),
        calls: &[
            run_ends_with(3),
            ("plan {project}", 3),
            ("resolve {project} --out {project}/x.parquet", 3),
        ],
    },
    Bad {
        name: "a mapping uses a value as a pattern and another as a number of days",
        happens: |project| {
            project.edit(
                "sources/crm.contacts.sql",
                "\"City\" AS city",
                "regexp_replace(\"City\", \"Family\" || '(', '') AS city",
            )
        },
        calls: &[run_ends_with(3)],
    },
    Bad {
        name: "a model divides by nobody",
        happens: |project| {
            project.edit(
                "models/regulars.sql",
                "SELECT customer_key, orders_count FROM order_counts WHERE orders_count >= 2",
                "SELECT CAST(family_name AS INT) AS n FROM customers",
            );
        },
        calls: &[run_ends_with(3), ("validate {project}", 0)],
    },
    Bad {
        name: "SQL is broken",
        happens: |project| {
            project.edit("sources/crm.contacts.sql", "FROM raw", "FORM raw WHERE");
            project.edit("models/regulars.sql", "SELECT customer_key", "SELECT customer_kye, secret_of(");
        },
        calls: &[run_ends_with(2), ("validate {project}", 2)],
    },
    Bad {
        name: "an audit finds people",
        happens: |project| {
            project.edit(
                "audits/order_counts_positive.sql",
                "SELECT customer_key FROM order_counts WHERE orders_count < 1",
                "SELECT family_name, email FROM customers",
            );
        },
        calls: &[run_ends_with(1)],
    },
    Bad {
        name: "the secret is too short",
        happens: |project| {
            project.edit(
                "pipeline.yaml",
                "secret: \"${STAMMKUNDE_KEY_SECRET:-a secret for tests alone}\"",
                "secret: kanari-short",
            )
        },
        calls: &[run_ends_with(2), ("validate {project}", 2), ("plan {project}", 2)],
    },
    Bad {
        name: "a secret stands at the wrong place",
        happens: |project| {
            project.edit(
                "pipeline.yaml",
                "keys:\n",
                "kyes: ${DATABASE_PASSWORD}\nidentity2: {secret: kanari-written-secret-66d2}\nkeys:\n  secrets: ${AWS_SECRET_ACCESS_KEY}\n",
            );
            project.edit("pipeline.yaml", "trust: [crm, shop]", "trust: ${DATABASE_PASSWORD}\ngates: ${AWS_SECRET_ACCESS_KEY}\nprofile: {survivorship: {email: [kanari-written-secret-66d2]}}");
        },
        calls: &[run_ends_with(2), ("validate {project}", 2)],
    },
    Bad {
        name: "YAML breaks off in a secret",
        happens: |project| {
            project.edit(
                "pipeline.yaml",
                "secret: \"${STAMMKUNDE_KEY_SECRET:-a secret for tests alone}\"",
                "secret: \"kanari-written-secret-66d2\n  : [",
            )
        },
        calls: &[run_ends_with(2), ("validate {project}", 2)],
    },
    Bad {
        name: "a warehouse holds credentials",
        happens: |project| {
            project.edit(
                "pipeline.yaml",
                "warehouse: warehouse",
                "warehouse: s3://AKIAX:kanari-written-secret-66d2@bucket/x",
            )
        },
        calls: &[
            run_ends_with(2),
            ("plan {project}", 2),
            ("versions {project}", 2),
            ("explain {project} crm:C-700", 2),
            ("validate {project}", 0),
        ],
    },
    Bad {
        name: "a warehouse holds a signature",
        happens: |project| {
            project.edit(
                "pipeline.yaml",
                "warehouse: warehouse",
                "warehouse: az://box/x?sv=2024&sig=kanari-written-secret-66d2",
            )
        },
        calls: &[
            run_ends_with(2),
            ("plan {project}", 2),
            ("versions {project}", 2),
            ("validate {project}", 0),
        ],
    },
    Bad {
        name: "files hold credentials and are no pattern",
        happens: |project| {
            project.edit(
                "pipeline.yaml",
                "files: exports/shop*.csv",
                "files: s3://AKIAX:kanari-written-secret-66d2@bucket/[x",
            );
            project.edit(
                "pipeline.yaml",
                "files: exports/crm*.csv",
                "files: https://u:kanari-written-secret-66d2@host/x.csv?sig=kanari-written-secret-66d2",
            );
        },
        calls: &[
            run_ends_with(2),
            ("plan {project}", 2),
            ("validate {project}", 0),
            ("resolve {project} --out {project}/x.parquet", 2),
        ],
    },
    Bad {
        name: "files of the version are damaged",
        happens: |project| {
            for (path, (size, _)) in listing(&project.file("warehouse/runs")) {
                if size > 0 {
                    let mut bytes = std::fs::read(&path).expect("a file");
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 0x55;
                    std::fs::write(&path, bytes).expect("a file");
                }
            }
        },
        calls: &[
            run_ends_with(4),
            ("explain {project} crm:C-700", 4),
            ("evaluate {project}", 4),
            ("review {project}", 4),
            ("model show {project}", 4),
        ],
    },
];
