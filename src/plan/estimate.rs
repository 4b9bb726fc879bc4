//! Predicts what a run will take: time from counts that are exact and from rates that were measured, memory from what is held already.
//!
//! Time. Stages that the plan went through itself are told as they were measured. The others are a rate times a count, divided by the
//! threads: comparing costs by the distinct pair, training by the pair too (its EM runs over the pairs of all rules), everything after
//! it by the contact or the row of orders, lines, events and interactions. The rates are CPU time of the release binary on one core of a
//! machine of 2026, rounded up; another machine is faster or slower by its factor, which the measured stages show.
//!
//! Memory. The peak of a run is where the clean contacts, their codes, the blocks and the tables that are made from them are held at once:
//! the sizes of the first three are known exactly when the plan is made, and the tables are a multiple of the contacts and the facts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::StageTime;

/// CPU nanoseconds of training a distinct pair, among a million people.
const TRAIN_NS_A_PAIR: u64 = 300;
/// CPU nanoseconds of scoring a distinct pair, among a million people.
const SCORE_NS_A_PAIR: u64 = 500;
/// CPU nanoseconds of clustering and keys a contact.
const CLUSTER_NS_A_RECORD: u64 = 300;
/// CPU nanoseconds of profiles and of publishing a contact: each.
const PROFILE_NS_A_RECORD: u64 = 2600;
/// CPU nanoseconds of attributing and of publishing a fact: each.
const PROFILE_NS_A_FACT: u64 = 900;
/// CPU nanoseconds of the standard models a row of facts.
const MODEL_NS_A_FACT: u64 = 1500;
/// What planning a model costs however little it reads.
const MODEL_MS: u64 = 60;
/// What publishing costs however little there is: hashes, and waiting for the disk.
const PUBLISH_MS: u64 = 800;

/// What a run holds that reads nothing: code, metadata of phone numbers, buffers.
const BASE_BYTES: u64 = 110 << 20;
/// What the SQL engine holds once models run.
const SQL_BYTES: u64 = 48 << 20;
/// Bytes that training holds for a pair of its sessions, and how many pairs that is at most.
const TRAIN_BYTES_A_PAIR: u64 = 50;
const TRAIN_PAIRS_MAX: u64 = 500_000;
/// Bytes that scoring and clustering hold for a contact: links, clusters, keys.
const LINK_BYTES_A_RECORD: u64 = 160;

/// One stage of a run and how long it would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStage {
    /// Stage.
    pub stage: String,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
    /// Whether the plan went through it and measured it; else it is a rate times a count.
    pub is_measured: bool,
}

/// What a plan knows.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Stages gone through.
    pub stages: Vec<StageTime>,
    /// Threads.
    pub threads: u64,
    /// Distinct pairs.
    pub pairs: u64,
    /// Contacts.
    pub records: u64,
    /// Rows of all other records.
    pub facts: u64,
    /// Models that are built.
    pub models: u64,
    /// Whether training is left out because the last version's model is used.
    pub model_reused: bool,
    /// Bytes of the contacts as read.
    pub contacts_bytes: u64,
    /// Bytes of the clean contacts.
    pub clean_bytes: u64,
    /// Bytes of the facts.
    pub facts_bytes: u64,
    /// Bytes of codes and blocks.
    pub matching_bytes: u64,
}

/// Wall time by stage, and peak memory in bytes.
#[must_use]
pub fn estimate(measured: &Measured) -> (Vec<PlannedStage>, u64) {
    let mut stages: Vec<PlannedStage> = Vec::new();
    for done in measured.stages.iter().filter(|done| done.stage != "plan") {
        stages.push(PlannedStage {
            stage: done.stage.clone(),
            elapsed_ms: done.elapsed_ms,
            is_measured: true,
        });
    }
    let wall_ms = |cpu_ns: u64| cpu_ns / measured.threads.max(1) / 1_000_000;
    let Measured {
        pairs,
        records,
        facts,
        models,
        ..
    } = *measured;
    let rows_ns = PROFILE_NS_A_RECORD * records + PROFILE_NS_A_FACT * facts;
    let predicted = [
        (
            "train",
            if measured.model_reused {
                0
            } else {
                wall_ms(TRAIN_NS_A_PAIR * pairs)
            },
        ),
        ("score", wall_ms(SCORE_NS_A_PAIR * pairs)),
        ("cluster", wall_ms(CLUSTER_NS_A_RECORD * records)),
        ("profile", wall_ms(rows_ns)),
        (
            "model",
            MODEL_MS * models + if models > 0 { wall_ms(MODEL_NS_A_FACT * facts) } else { 0 },
        ),
        ("publish", PUBLISH_MS + wall_ms(rows_ns)),
    ];
    for (stage, elapsed_ms) in predicted {
        if !stages.iter().any(|done| done.stage == stage) {
            stages.push(PlannedStage {
                stage: stage.to_owned(),
                elapsed_ms,
                is_measured: false,
            });
        }
    }
    let training = if measured.model_reused {
        0
    } else {
        TRAIN_BYTES_A_PAIR * pairs.min(TRAIN_PAIRS_MAX)
    };
    let sql = if models > 0 { SQL_BYTES } else { 0 };
    let memory = BASE_BYTES
        + training
        + sql
        + measured.contacts_bytes
        + 2 * measured.clean_bytes
        + 2 * measured.facts_bytes
        + measured.matching_bytes
        + LINK_BYTES_A_RECORD * records;
    (stages, memory)
}
