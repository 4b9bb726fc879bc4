//! The files of the demo: what stands before and after the rows, and which group's rows go where.

use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::csv::Rows;
use super::group::Group;
use super::{crm, messages, orders, rates, shop, web};
use crate::error::{Error, Result};

/// Byte order mark of UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// An open file.
struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn create(path: PathBuf) -> Result<Self> {
        let folder = path.parent().expect("every file of the demo lies in a folder");
        let opened = create_dir_all(folder).and_then(|()| File::create(&path));
        match opened {
            Ok(file) => Ok(Self {
                file: BufWriter::with_capacity(1 << 18, file),
                path,
            }),
            Err(error) => Err(failed(&path, error)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| failed(&self.path, error))
    }

    fn finish(mut self) -> Result<()> {
        self.file.flush().map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::environment("a file of the demo cannot be written")
        .with("file", path.display().to_string())
        .because(error)
}

/// Every file of the demo, open.
pub(super) struct Files {
    groups: u64,
    crm: Vec<(Output, u64)>,
    customers: Output,
    orders: Vec<Output>,
    /// Opened with its first event: an empty gzip file is a broken one.
    web: Vec<Option<Output>>,
    newsletter: Output,
    survey: Output,
    support: Output,
    truth: Output,
    exports: PathBuf,
}

impl Files {
    /// Creates the files, and writes their headers and the exchange rates. Orders are split into three files, or one a million.
    pub(super) fn create(folder: &Path, groups: u64, orders: u64, seed: u64) -> Result<Self> {
        let exports = folder.join("exports");
        let mut files = Self {
            groups,
            crm: numbered(&exports, "crm/kontakte", 2.min(groups))?
                .into_iter()
                .map(|output| (output, 0))
                .collect(),
            customers: Output::create(exports.join("shop/customers_1.csv"))?,
            orders: numbered(&exports, "shop/orders", orders.div_ceil(1_000_000).max(3).min(groups))?,
            web: web::MONTHS.iter().map(|_| None).collect(),
            newsletter: Output::create(exports.join("newsletter/subscribers.csv"))?,
            survey: Output::create(exports.join("survey/nps.csv"))?,
            support: Output::create(exports.join("support/tickets.jsonl"))?,
            truth: Output::create(folder.join("truth.csv"))?,
            exports,
        };
        for (crm, _) in &mut files.crm {
            crm.write(b"sep=;\r\n")?;
            crm.write(&crm::encode(&header(';', "\r\n", &crm::HEADER)))?;
        }
        files.customers.write(MARK)?;
        files.customers.write(header(',', "\n", &shop::HEADER).as_bytes())?;
        for output in &mut files.orders {
            output.write(header(',', "\n", &orders::HEADER).as_bytes())?;
        }
        files.newsletter.write(header(',', "\n", &messages::NEWSLETTER_HEADER).as_bytes())?;
        for row in &messages::SURVEY_HEADERS {
            files.survey.write(header(',', "\r\n", row).as_bytes())?;
        }
        let mut rates = Output::create(files.exports.join("bank/rates.csv"))?;
        rates.write(rates::write(seed).as_bytes())?;
        rates.finish()?;
        files.truth.write(b"source,record_id,person\n")?;
        Ok(files)
    }

    /// Adds the rows of a group; groups come in order.
    pub(super) fn append(&mut self, number: u64, group: &Group) -> Result<()> {
        let slot = |files: usize| usize::try_from(number * files as u64 / self.groups).expect("the slot is below the number of files");
        let (crm_slot, orders_slot) = (slot(self.crm.len()), slot(self.orders.len()));
        let (crm, rows) = &mut self.crm[crm_slot];
        crm.write(&crm::encode(&group.crm.text))?;
        *rows += group.crm.count;
        self.customers.write(group.customers.text.as_bytes())?;
        self.orders[orders_slot].write(group.orders.text.as_bytes())?;
        self.newsletter.write(group.newsletter.text.as_bytes())?;
        self.survey.write(group.survey.text.as_bytes())?;
        self.support.write(group.support.as_bytes())?;
        self.truth.write(group.truth.text.as_bytes())?;
        for (month, member) in group.web.iter().enumerate().filter(|(_, member)| !member.is_empty()) {
            let output = match &mut self.web[month] {
                Some(output) => output,
                empty => empty.insert(Output::create(
                    self.exports.join(format!("web/month={}/events.jsonl.gz", web::MONTHS[month])),
                )?),
            };
            output.write(member)?;
        }
        Ok(())
    }

    /// Writes footers and closes the files.
    pub(super) fn finish(self) -> Result<()> {
        for (mut crm, rows) in self.crm {
            crm.write(&crm::encode(&format!("Anzahl Datensätze: {rows}\r\n")))?;
            crm.finish()?;
        }
        let rest = [self.customers, self.newsletter, self.survey, self.support, self.truth];
        rest.into_iter()
            .chain(self.orders)
            .chain(self.web.into_iter().flatten())
            .try_for_each(Output::finish)
    }
}

fn numbered(exports: &Path, stem: &str, count: u64) -> Result<Vec<Output>> {
    (1..=count)
        .map(|number| Output::create(exports.join(format!("{stem}_{number}.csv"))))
        .collect()
}

fn header(delimiter: char, line_end: &'static str, names: &[&str]) -> String {
    let mut rows = Rows::new(delimiter, line_end);
    rows.row(names);
    rows.text
}
