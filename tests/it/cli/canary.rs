//! Canaries: unmistakable people and secrets go through every command, on good and bad days, as loud as it can be told; none is ever heard.
//!
//! A new command is a line of [`SOUND`], a new fault a [`Bad`] in `canary/days.rs`. Values of people may stand in published tables and files that are asked for
//! with `--show-pii`, and in `term_frequencies.json` and what `model export` makes of it: a model needs them. Secrets may stand nowhere.

mod days;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use days::{Bad, DATA, PROJECT};

use super::support::{CRM_HEADER, Done, Project, call, copy, crm_row, listing, rows, stammkunde};

/// Values of people, in the spellings in which they could slip out; lower case.
const PEOPLE: [&str; 9] = [
    "quirinalda",
    "zwetschkenbaum",
    "zwetschkn",
    "kanarienpost",
    "15199887766",
    "0151 99887766",
    "wolkenkuckucksweg",
    "hinterpfuideifl",
    "1931-12-24",
];
/// A date as the CRM writes it.
const BORN: &str = "24.12.1931";

/// Secrets in the environment.
const SECRETS: [(&str, &str); 7] = [
    ("STAMMKUNDE_KEY_SECRET", "kanari-key-secret-7f3a9c"),
    ("AWS_ACCESS_KEY_ID", "AKIAKANARI0000000001"),
    ("AWS_SECRET_ACCESS_KEY", "kanari-aws-secret-51b0d2"),
    ("AWS_SESSION_TOKEN", "kanari-aws-token-e88f04"),
    ("AZURE_STORAGE_ACCOUNT_KEY", "a2FuYXJpLWF6dXJlLWtleQ=="),
    ("GOOGLE_SERVICE_ACCOUNT_KEY", "kanari-google-key-90ab31"),
    ("DATABASE_PASSWORD", "kanari-password-3c7e55"),
];
/// A secret that stands in a URL or in a file of the project.
const WRITTEN: &str = "kanari-written-secret-66d2";

/// How loud, and in which form.
const MODES: [(&str, &str, [&str; 5]); 2] = [
    ("text", "2026-10-31", ["--format", "text", "-vvv", "--log-format", "text"]),
    ("json", "2026-11-01", ["--format", "json", "-vvv", "--log-format", "json"]),
];

/// Every command on a good day: the call, with its exit code. `{mode}` and `{day}` differ between the two modes, so that both do something.
const SOUND: [(&str, i32); 58] = [
    ("validate {project}", 0),
    ("plan {project}", 0),
    ("run {project} --dry-run --as-of {day}", 0),
    ("versions {project}", 0),
    ("run {project} --as-of {day}", 0),
    ("run {project} --as-of {day}", 0),
    ("run {project} --as-of {day} --dry-run --retrain", 0),
    ("run {project} --as-of {day} --retrain --select regulars", 0),
    ("resolve {project} --out {project}/keys-{mode}.parquet", 0),
    ("explain {project} crm:C-700", 0),
    ("explain {project} shop:quirinalda.z@kanarienpost.example", 0),
    ("explain {project} crm:C-700 crm:C-701", 0),
    ("explain {project} crm:C-700 shop:quirinalda.z@kanarienpost.example", 0),
    ("explain {project} shop:zwetschkenbaum@kanarienpost.example", 3),
    ("explain {project} quirinalda.z@kanarienpost.example", 3),
    ("explain {project} crm:C-700 crm:Zwetschkenbaum@x", 3),
    ("evaluate {project}", 0),
    ("evaluate {project} --labels {project}/labels.csv --examples 50", 0),
    ("evaluate {project} --labels {project}/labels.csv --id nothing", 3),
    ("evaluate {project} --labels {project}/exports/crm.csv", 3),
    ("model show {project}", 0),
    ("model export {project} --to {project}/model-{mode}.json", 0),
    ("model diff 1 {project}/model-{mode}.json --project {project}", 0),
    ("model diff 1 {project}/labels.csv --project {project}", 2),
    ("run {project} --as-of {day} --model {project}/model-{mode}.json", 0),
    ("run {project} --as-of {day} --model {project}/labels.csv", 2),
    ("review {project}", 0),
    ("review {project} --kind near --output {project}/review-{mode}.csv", 0),
    ("review {project} --kind bridge", 0),
    ("review {project} --kind revenue --limit 3", 0),
    ("audience {project} --where customers.country=DE --dry-run", 3),
    (
        "audience {project} --where customers.city=Hinterpfuideifl --consent consent_email --output {project}/ads-{mode}",
        0,
    ),
    (
        "audience {project} --where customers.given_name>=Quirinalda --consent consent_email,consent_nothing --dry-run",
        3,
    ),
    ("versions {project}", 0),
    ("versions list {project}", 0),
    ("versions diff 1 2 {project}", 0),
    ("report {project} --out {project}/report-{mode}.html", 0),
    ("docs {project} --out {project}/docs-{mode}.html", 0),
    ("versions rollback 1 {project} --dry-run", 0),
    ("versions cleanup {project} --keep 1 --dry-run", 0),
    ("run {project} --as-of {day} --full-refresh", 0),
    ("privacy list {project}", 0),
    ("privacy export {project} crm:C-700 --output {project}/exports/held-{mode}", 0),
    ("privacy erase {project} crm:C-702", 0),
    ("privacy erase {project} quirinalda.z@kanarienpost.example", 0),
    ("privacy suppress {project} nobody-{mode}@post.example", 0),
    ("privacy unsuppress {project} nobody-{mode}@post.example", 0),
    ("privacy purge {project}", 0),
    ("test {project}", 0),
    ("schema pipeline", 0),
    ("schema run", 0),
    ("completions bash", 0),
    ("init {project}", 2),
    ("--help", 0),
    ("run --help", 0),
    ("run {project} --accept-gate Zwetschkenbaum:x --as-of", 2),
    ("run {project}/nowhere", 2),
    ("run {project} --warehouse {project}/pipeline.yaml", 4),
];

/// People of a CRM and a shop, with two unmistakable ones among them.
fn project() -> Project {
    let project = Project::small();
    let mut crm: Vec<String> = (0..24).map(crm_row).collect();
    let canary = |id: &str, family: &str, mail: &str| {
        format!("{id};K700;;Quirinalda;{family};{mail};0151 99887766;{BORN};Wolkenkuckucksweg 7;99998;Hinterpfuideifl;01.02.2026")
    };
    crm.push(canary("C-700", "Zwetschkenbaum", "quirinalda.z@kanarienpost.example"));
    crm.push(canary("C-701", "Zwetschkn", ""));
    crm.push(canary("C-702", "Zwetschkenbaum", "q@kanarienpost.example").replace("K700", "K702"));
    crm.push("C-703;K703;;Quirinalda;Zwetschkenbaum;;;;;99998;Hinterpfuideifl;01.02.2026".to_owned());
    crm.push("C-710;K710;;Quirinalda;Wolkenstein;;;;;;;01.02.2026".to_owned());
    crm.push("C-711;K710;;Notburga;Zwetschkenbaum;;;;;;;01.02.2026".to_owned());
    project.write_csv("exports/crm.csv", CRM_HEADER, &crm);
    project.edit("sources/crm.contacts.sql", "AS updated_at", "AS updated_at, true AS consent_email");
    project.append(
        "exports/shop.csv",
        "S-700,Quirinalda.Z@kanarienpost.example,Quirinalda Zwetschkenbaum,99998,2026-03-10,99.50",
    );
    project.write(
        "labels.csv",
        "record_id,cluster\nC-700,Zwetschkenbaum\nC-701,Zwetschkenbaum\nC-001,Quirinalda\nC-002,Quirinalda\n",
    );
    project.edit(
        "pipeline.yaml",
        "trust: [crm, shop]",
        "trust: [crm, shop]\nsettings: {token: \"${DATABASE_PASSWORD}\"}",
    );
    project.edit(
        "pipeline.yaml",
        "  identifiers:",
        "  match_probability: 0.99\n  possible_probability: 0.0001\n  identifiers:",
    );
    project
}

/// The binary with every secret in its environment.
fn command() -> Command {
    let mut command = stammkunde();
    command
        .envs(SECRETS)
        .env("STAMMKUNDE_RETRIES", "0")
        .env("AWS_REGION", "eu-central-1");
    command
}

/// One call in one mode.
fn heard(project: &Project, line: &str, (mode, day, loud): (&str, &str, [&str; 5])) -> Done {
    let folder = project.path().to_str().expect("UTF-8");
    let filled = line.replace("{mode}", mode).replace("{day}", day);
    let arguments = filled.split(' ').map(|argument| argument.replace("{project}", folder));
    call(command().args(arguments).args(loud))
}

/// What a text tells that it must not; the folder of the test is none of it.
fn told(text: &str, words: &[&str]) -> Vec<String> {
    let lower = text.to_lowercase();
    words
        .iter()
        .filter(|word| lower.contains(&word.to_lowercase()))
        .map(|word| (*word).to_owned())
        .collect()
}

fn secrets() -> Vec<&'static str> {
    let own = SECRETS.iter().map(|(_, secret)| *secret);
    own.chain([WRITTEN, "kanari-short"]).collect()
}

#[track_caller]
fn assert_silent(what: &str, done: &Done) {
    let people = [&PEOPLE[..], &[BORN]].concat();
    for (stream, text) in [("stdout", &done.stdout), ("stderr", &done.stderr)] {
        // What somebody writes into a command line is his to see.
        let own = |word: &String| !what.to_lowercase().contains(&word.to_lowercase());
        let heard: Vec<String> = told(text, &people).into_iter().filter(own).chain(told(text, &secrets())).collect();
        assert!(heard.is_empty(), "{what}: {heard:?} in {stream}:\n{text}");
    }
}

#[track_caller]
fn check(project: &Project, calls: &[(&str, i32)]) {
    for (line, code) in calls {
        for mode in MODES {
            let done = heard(project, line, mode);
            let what = format!("{line} ({})", mode.0);
            assert_silent(&what, &done);
            assert_eq!(done.code, Some(*code), "{what}:\n{}\n{}", done.stdout, done.stderr);
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    listing(folder)
        .into_iter()
        .filter(|(path, _)| path.is_file())
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn no_command_tells_a_value_of_a_person_or_a_secret() {
    let project = project();
    check(&project, &SOUND);
    // The canaries are really there, and whoever asks sees them.
    let shown = heard(&project, "review {project} --show-pii", MODES[0]).ends_with(0);
    assert!(!told(&shown.stdout, &["zwetschkenbaum"]).is_empty(), "{}", shown.stdout);
    let shown = heard(&project, "explain {project} crm:C-700 --show-pii", MODES[0]).ends_with(0);
    assert_eq!(
        told(&shown.stdout, &["quirinalda", "kanarienpost", "15199887766", "1931-12-24"]).len(),
        4,
        "{}",
        shown.stdout
    );
    assert_files_are_silent(&project);
}

/// Secrets are in no file but where the user wrote them; people only where they have to be.
fn assert_files_are_silent(project: &Project) {
    let mut seen = 0;
    for path in files(project.path()) {
        let name = path
            .strip_prefix(project.path())
            .expect("below the project")
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&path).expect("a file");
        let text = if name.ends_with(".parquet") {
            format!("{:?}", rows(&path))
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        };
        assert_eq!(told(&text, &secrets()), Vec::<String>::new(), "{name}");
        let holds_people = [
            "exports/",
            "labels.csv",
            "term_frequencies.json",
            "model-text.json",
            "model-json.json",
            ".parquet",
        ];
        if !holds_people.iter().any(|part| name.contains(part)) {
            seen += 1;
            assert_eq!(told(&text, &PEOPLE), Vec::<String>::new(), "{name}");
        }
    }
    assert!(
        seen > 15,
        "manifests, ledgers, models, reviews and the project were looked at: {seen}"
    );
}

#[test]
fn bad_data_are_not_quoted() {
    check_bad_days(&DATA);
}

#[test]
fn mistakes_of_a_project_are_told_without_what_they_concern() {
    check_bad_days(&PROJECT);
}

#[track_caller]
fn check_bad_days(days: &[Bad]) {
    for day in days {
        let project = Project::copy_of(published());
        (day.happens)(&project);
        for (position, (line, code)) in day.calls.iter().enumerate() {
            // Both forms of the first, one of each other.
            for mode in MODES.into_iter().skip(position % 2).take(if position == 0 { 2 } else { 1 }) {
                let done = heard(&project, line, mode);
                assert_silent(&format!("when {}: {line}", day.name), &done);
                assert_eq!(
                    done.code,
                    Some(*code),
                    "when {}: {line}:\n{}\n{}",
                    day.name,
                    done.stdout,
                    done.stderr
                );
            }
        }
    }
}

/// A project with a published version.
fn published() -> &'static Path {
    static PUBLISHED: OnceLock<PathBuf> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let project = project();
        heard(&project, "run {project} --as-of 2026-10-30", MODES[0]).ends_with(0);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-canary");
        let _ = std::fs::remove_dir_all(&folder);
        copy(project.path(), &folder);
        folder
    })
}

/// A store that answers every request with 403 and, as some do, with what it knows of the caller.
fn refusing_store() -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let answers = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for stream in listener.incoming().take(2) {
            let mut stream = stream.expect("a connection");
            let mut request = vec![0; 16_384];
            let length = stream.read(&mut request).expect("a request");
            requests.push(String::from_utf8_lossy(&request[..length]).into_owned());
            let body = format!(
                "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message><AWSAccessKeyId>{}</AWSAccessKeyId></Error>",
                SECRETS[1].1
            );
            let answer = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).expect("an answer");
        }
        requests
    });
    (address, answers)
}

#[test]
fn a_store_that_refuses_or_is_gone_does_not_make_a_secret_heard() {
    let project = project();
    let folder = project.path().to_str().expect("UTF-8");
    let (address, answers) = refusing_store();
    for (_, _, loud) in MODES {
        let mut command = command();
        command.args(["run", folder, "--warehouse", "s3://bucket/x"]).args(loud);
        let done = call(command.env("AWS_ENDPOINT_URL", &address).env("AWS_ALLOW_HTTP", "true"));
        assert_silent("a refusing store", &done);
        assert_eq!(done.code, Some(4), "{}", done.stderr);
    }
    let requests = answers.join().expect("the store answered");
    assert!(
        requests.iter().all(|request| request.contains(SECRETS[1].1)),
        "requests are signed: {requests:?}"
    );
    for (_, _, loud) in MODES {
        let mut command = command();
        command.args(["run", folder, "--warehouse", "s3://bucket/x"]).args(loud);
        let done = call(command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_ALLOW_HTTP", "true"));
        assert_silent("a store that is gone", &done);
        assert_eq!(done.code, Some(4), "{}", done.stderr);
    }
}

#[test]
fn help_does_not_show_what_the_environment_holds() {
    for line in ["run --help", "explain --help", "model export --help", "review --help", "--help"] {
        let mut command = command();
        command.env("STAMMKUNDE_WAREHOUSE", format!("s3://AKIAX:{WRITTEN}@bucket"));
        command.env("STAMMKUNDE_RUN_ID", "Zwetschkenbaum");
        let done = call(command.args(line.split(' '))).ends_with(0);
        assert_silent(line, &done);
    }
}

#[test]
fn the_test_hears_what_it_listens_for() {
    let loud = Done {
        code: Some(0),
        stdout: "Frau ZWETSCHKENBAUM".to_owned(),
        stderr: "token=kanari-aws-token-e88f04".to_owned(),
    };
    assert_eq!(told(&loud.stdout, &PEOPLE), ["zwetschkenbaum"]);
    assert_eq!(told(&loud.stderr, &secrets()), ["kanari-aws-token-e88f04"]);
    let names: std::collections::BTreeSet<&str> = SOUND.iter().filter_map(|(line, _)| line.split(' ').next()).collect();
    let help = call(command().arg("--help")).ends_with(0).stdout;
    let commands = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty());
    let listed: Vec<&str> = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(listed.len() >= 13, "{help}");
    // `demo` makes its people up, `help` is what `--help` says.
    let silent: Vec<&&str> = listed
        .iter()
        .filter(|name| !names.contains(**name) && !["demo", "help"].contains(*name))
        .collect();
    assert!(silent.is_empty(), "these commands are not listened to: {silent:?}");
}
