//! Answers as tables: aligned text for people, JSON and CSV for programs, from the same rows.

use crate::failure::wrong_usage;
use crate::output::Output;
use crate::paint::Paint;
use crate::{Verdict, fit, human, json};
use anyhow::Result;
use maud::html;
use std::cmp::Ordering;

/// How many rows people are shown unless they say otherwise.
const ROWS: usize = 25;

/// How to print tables.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Format {
    /// Print one JSON object a line, times in nanoseconds.
    #[arg(long, conflicts_with = "csv", help_heading = "Output")]
    pub(crate) json: bool,
    /// Print CSV with a line of names, times in nanoseconds.
    #[arg(long, help_heading = "Output")]
    pub(crate) csv: bool,
    /// How many rows to print; 0 for all [default: 25, or all with --json and --csv].
    #[arg(long, value_name = "N", help_heading = "Output")]
    top: Option<usize>,
    /// The column to sort by, as --json names it; `-COLUMN` for the other direction.
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, help_heading = "Output")]
    sort: Option<String>,
}

impl Format {
    /// Refuses what makes no sense where there is one row.
    pub(crate) fn need_one_row(&self) -> Result<()> {
        if self.sort.is_some() || self.top.is_some() {
            wrong_usage!("--sort and --top are for tables of several rows, not for --show summary");
        }
        Ok(())
    }

    /// The same for a table of which --sort does not speak.
    pub(crate) fn unsorted(&self) -> Format {
        Format { sort: None, ..self.clone() }
    }

    /// How many of so many rows are printed.
    fn rows(&self, all: usize) -> usize {
        match self.top {
            Some(0) => all,
            Some(top) => top,
            None if self.is_for_programs() => all,
            None => ROWS,
        }
    }

    /// Whether programs get all rows. The first few of them are those that people see.
    pub(crate) fn is_of_all(&self) -> bool {
        self.is_for_programs() && self.rows(usize::MAX) == usize::MAX
    }

    /// Whether the output is for programs.
    pub(crate) fn is_for_programs(&self) -> bool {
        self.json || self.csv
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing is known.
    None,
    /// Text.
    Text(String),
    /// A number of things.
    Count(u64),
    /// An id, or a time of the trace's clock: shown as it is.
    Id(i64),
    /// Nanoseconds.
    Nanos(i64),
    /// Nanoseconds after the start.
    Offset(i64),
    /// A number that is not whole.
    Number(f64),
    /// A share of a whole, 0 to 1.
    Share(f64),
    /// Bytes.
    Bytes(u64),
    /// Nanoseconds by name, largest first.
    Sums(Vec<(String, i64)>),
    /// Ids.
    Ids(Vec<i64>),
    /// Whether it is so.
    Bool(bool),
    /// Texts; people do not see them, CSV has semicolons in between.
    Texts(Vec<String>),
    /// JSON as it is; people and CSV do not see it.
    Json(String),
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its name in JSON and CSV, and for --sort.
    pub(crate) key: &'static str,
    /// Its name for people; empty to leave it out there.
    pub(crate) title: &'static str,
}

/// A column.
pub(crate) const fn column(key: &'static str, title: &'static str) -> Column {
    Column { key, title }
}

/// Rows of values.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    /// What a row is, in the singular.
    what: &'static str,
}

impl Table {
    /// A table without rows, which are `what`.
    pub(crate) fn new(what: &'static str, columns: &[Column]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new(), what }
    }

    /// Adds a row, with a value for each column.
    pub(crate) fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The column to sort by, as asked for or the one `usually`, and whether the other way round.
    fn order(&self, format: &Format, usually: &str) -> Result<(usize, bool)> {
        let wanted = format.sort.as_deref().unwrap_or(usually);
        let (name, turned) = match wanted.strip_prefix('-') {
            Some(name) => (name, true),
            None => (wanted, false),
        };
        // As it is called in JSON, or in the heading that people see.
        let has_key = |column: &Column| column.key == name;
        let has_title = |column: &Column| !name.is_empty() && column.title == name;
        let at = self.columns.iter().position(has_key);
        let Some(at) = at.or_else(|| self.columns.iter().position(has_title)) else {
            let names: Vec<_> = self.columns.iter().map(|column| column.key).collect();
            wrong_usage!("there is no column {name} to sort by; there are {}", names.join(", "));
        };
        Ok((at, turned))
    }

    /// Sorts the rows as asked for, or by the column `usually`.
    pub(crate) fn sort(&mut self, format: &Format, usually: &str) -> Result<()> {
        let (at, turned) = self.order(format, usually)?;
        // Rows that are equal here are told apart by their first columns: in which order they came
        // may depend on how many threads made them.
        self.rows.sort_by(|a, b| {
            let order = compare(&a[at], &b[at]);
            let order = if turned { order.reverse() } else { order };
            let rest = || a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
            order.then_with(|| rest().unwrap_or(Ordering::Equal))
        });
        Ok(())
    }

    /// Prints a row for each item, sorted as asked for or by the column `usually`. There may be very
    /// many: for programs, a row is made when it is printed. `cell` is told the column's key.
    pub(crate) fn print_each<T>(
        mut self,
        items: impl Iterator<Item = T>,
        cell: impl Fn(&T, &str) -> Cell,
        usually: &str,
        output: &mut Output,
        format: &Format,
    ) -> Result<Verdict> {
        let (at, turned) = self.order(format, usually)?;
        let key = self.columns[at].key;
        let mut items: Vec<(Cell, T)> = items.map(|item| (cell(&item, key), item)).collect();
        items.sort_by(|a, b| {
            let order = compare(&a.0, &b.0);
            if turned { order.reverse() } else { order }
        });
        let all = items.len();
        items.truncate(format.rows(all));
        if !format.is_for_programs() {
            for (_, item) in &items {
                self.push(self.columns.iter().map(|column| cell(item, column.key)).collect());
            }
            return self.print_of(all, output, format);
        }
        // Only the names, in CSV.
        self.write_rows(output, format)?;
        let mut row = Vec::new();
        for (_, item) in items {
            row.extend(self.columns.iter().map(|column| cell(&item, column.key)));
            match format.json {
                true => self.write_json(output.buffer(), &row),
                false => write_record(output.buffer(), &row)?,
            }
            row.clear();
            output.written()?;
        }
        output.flush()?;
        Ok(Verdict::Fine)
    }

    /// The rows sorted as asked for, or as they are.
    pub(crate) fn sorted(mut self, format: &Format) -> Result<Table> {
        if let Some(column) = &format.sort {
            self.sort(format, column)?;
        }
        Ok(self)
    }

    /// Writes each row's values below each other with their titles, for tables of few rows.
    pub(crate) fn write_fields(&self, output: &mut Output) {
        let titles = self.columns.iter().map(|column| column.title.chars().count());
        let width = titles.max().unwrap_or(0);
        for row in &self.rows {
            for (column, cell) in self.columns.iter().zip(row) {
                let title = column.title;
                if !title.is_empty() {
                    let line = format!("{title:width$}  {}\n", text(cell));
                    output.buffer().extend_from_slice(line.as_bytes());
                }
            }
        }
    }

    /// The rows as an HTML table, by this column, as many as people are shown.
    pub(crate) fn html(mut self, usually: &str) -> String {
        let format = Format { json: false, csv: false, top: None, sort: Some(usually.to_owned()) };
        // The column is one of ours.
        let _ = self.sort(&format, usually);
        let all = self.rows.len();
        self.rows.truncate(ROWS);
        let is_text = |cell: &Cell| matches!(cell, Cell::Text(_) | Cell::Sums(_) | Cell::Ids(_));
        let class = |at: usize| {
            let mut cells = self.rows.iter().map(|row| &row[at]);
            if cells.any(is_text) { "text" } else { "number" }
        };
        let shown: Vec<_> = (0..self.columns.len())
            .filter(|&at| !self.columns[at].title.is_empty())
            .map(|at| (at, class(at)))
            .collect();
        let markup = html! {
            div class="scroll" {
                table {
                    thead {
                        tr {
                            @for &(at, class) in &shown {
                                th class=(class) { (self.columns[at].title) }
                            }
                        }
                    }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for &(at, class) in &shown {
                                    td class=(class) { (text(&row[at])) }
                                }
                            }
                        }
                    }
                }
            }
            @if all > self.rows.len() {
                p class="more" {
                    "and " (human::counted((all - self.rows.len()) as u64, self.what)) " more"
                }
            }
            @if all == 0 { p class="more" { "no " (self.what) "s" } }
        };
        markup.into_string()
    }

    /// Each row's values below each other with their titles, as HTML.
    pub(crate) fn html_fields(&self) -> String {
        let markup = html! {
            @for row in &self.rows {
                div class="scroll" {
                    table {
                        @for (column, cell) in self.columns.iter().zip(row) {
                            @if !column.title.is_empty() {
                                tr {
                                    th class="text" { (column.title) }
                                    td { (text(cell)) }
                                }
                            }
                        }
                    }
                }
            }
        };
        markup.into_string()
    }

    /// Prints the table.
    pub(crate) fn print(mut self, output: &mut Output, format: &Format) -> Result<Verdict> {
        let all = self.rows.len();
        self.rows.truncate(format.rows(all));
        self.print_of(all, output, format)
    }

    /// Prints the table, which has those of all rows that are to be shown.
    fn print_of(self, all: usize, output: &mut Output, format: &Format) -> Result<Verdict> {
        if format.is_for_programs() {
            self.write_rows(output, format)?;
        } else {
            self.write_text(output);
            if all > self.rows.len() {
                let rest = human::counted((all - self.rows.len()) as u64, self.what);
                let line = format!("and {rest} more; --top 0 shows all\n");
                output.buffer().extend_from_slice(line.as_bytes());
            }
            if all == 0 {
                output.buffer().extend_from_slice(format!("no {}s\n", self.what).as_bytes());
            }
        }
        output.flush()?;
        Ok(Verdict::Fine)
    }

    /// Writes the rows for programs.
    fn write_rows(&self, output: &mut Output, format: &Format) -> Result<()> {
        human::need_nanoseconds(if format.json { "JSON" } else { "CSV" })?;
        if format.csv {
            let names: Vec<_> =
                self.columns.iter().map(|column| Cell::Text(column.key.to_owned())).collect();
            write_record(output.buffer(), &names)?;
        }
        for row in &self.rows {
            match format.json {
                true => self.write_json(output.buffer(), row),
                false => write_record(output.buffer(), row)?,
            }
            output.written()?;
        }
        Ok(())
    }

    fn write_json(&self, out: &mut Vec<u8>, row: &[Cell]) {
        let mut object = json::Object::new(out);
        for (column, cell) in self.columns.iter().zip(row) {
            let key = column.key;
            match cell {
                Cell::None => object.null(key),
                Cell::Text(text) => object.string(key, text),
                Cell::Count(number) | Cell::Bytes(number) => object.number(key, *number),
                Cell::Id(number) | Cell::Nanos(number) | Cell::Offset(number) => {
                    object.number(key, *number);
                }
                Cell::Share(share) | Cell::Number(share) => {
                    let value = serde_json::Number::from_f64(*share);
                    let text = value.map_or("null".to_owned(), |value| value.to_string());
                    object.key(key).extend_from_slice(text.as_bytes());
                }
                Cell::Sums(sums) => {
                    // A name may need escaping, which keys of an Object do not get.
                    let map: serde_json::Map<_, _> =
                        sums.iter().map(|(name, nanos)| (name.clone(), (*nanos).into())).collect();
                    let text = serde_json::Value::Object(map).to_string();
                    object.key(key).extend_from_slice(text.as_bytes());
                }
                Cell::Ids(ids) => {
                    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
                    let text = format!("[{}]", ids.join(","));
                    object.key(key).extend_from_slice(text.as_bytes());
                }
                Cell::Bool(is) => object.key(key).extend_from_slice(is.to_string().as_bytes()),
                Cell::Texts(texts) => {
                    let text = serde_json::Value::from(texts.as_slice()).to_string();
                    object.key(key).extend_from_slice(text.as_bytes());
                }
                Cell::Json(text) => object.key(key).extend_from_slice(text.as_bytes()),
            }
        }
        drop(object);
        out.push(b'\n');
    }

    fn write_text(&self, output: &mut Output) {
        let paint = Paint::stdout();
        let shown: Vec<_> =
            (0..self.columns.len()).filter(|&at| !self.columns[at].title.is_empty()).collect();
        let texts: Vec<Vec<String>> =
            self.rows.iter().map(|row| shown.iter().map(|&at| text(&row[at])).collect()).collect();
        let last = shown.len().saturating_sub(1);
        let texts: Vec<Vec<String>> = texts
            .into_iter()
            .map(|row| {
                let cells = row.into_iter().enumerate();
                cells.map(|(at, text)| on_one_line(text, at == last)).collect()
            })
            .collect();
        let right: Vec<bool> = shown
            .iter()
            .map(|&at| {
                let mut cells = self.rows.iter().map(|row| &row[at]);
                !cells.any(|cell| matches!(cell, Cell::Text(_) | Cell::Sums(_) | Cell::Ids(_)))
            })
            .collect();
        let mut widths: Vec<usize> = shown
            .iter()
            .enumerate()
            .map(|(i, &at)| {
                let cells = texts.iter().map(|row| row[i].chars().count());
                cells.max().unwrap_or(0).max(self.columns[at].title.chars().count())
            })
            .collect();
        if let Some(room) = fit::terminal() {
            let may_cut: Vec<bool> = right.iter().map(|right| !right).collect();
            fit::fit(&mut widths, &may_cut, room);
        }
        let mut line = |cells: &[&str], bold: bool| {
            let mut line = String::new();
            for (i, cell) in cells.iter().enumerate() {
                let last = i + 1 == cells.len();
                let cell = fit::cut(cell, widths[i], last);
                let pad = " ".repeat(widths[i].saturating_sub(cell.chars().count()));
                match right[i] {
                    true => line.extend([pad, cell]),
                    false if last => line.push_str(&cell),
                    false => line.extend([cell, pad]),
                }
                if !last {
                    line.push_str("  ");
                }
            }
            let line = if bold { paint.bold(line) } else { line };
            output.buffer().extend_from_slice(line.as_bytes());
            output.buffer().push(b'\n');
        };
        if self.rows.is_empty() {
            return;
        }
        let titles: Vec<_> = shown.iter().map(|&at| self.columns[at].title).collect();
        line(&titles, true);
        for row in &texts {
            line(&row.iter().map(String::as_str).collect::<Vec<_>>(), false);
        }
    }
}

/// How wide a column of texts becomes at most, unless it is the last one.
const WIDEST: usize = 60;

/// A text that cannot break the table: names of a program may be anything.
fn on_one_line(text: String, last: bool) -> String {
    let long = !last && text.chars().nth(WIDEST).is_some();
    if !long && !text.contains(char::is_control) {
        return text;
    }
    let shown = if long { WIDEST - 1 } else { usize::MAX };
    let mut line = String::with_capacity(text.len());
    for c in text.chars().take(shown) {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    if long {
        line.push('…');
    }
    line
}

/// How many entries of a map people are shown.
const ENTRIES: usize = 3;

/// How many ids people are shown.
const IDS: usize = 8;

fn text(cell: &Cell) -> String {
    match cell {
        Cell::None => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
        Cell::Count(number) => human::count(*number),
        Cell::Id(number) => number.to_string(),
        Cell::Nanos(0) => "-".to_owned(),
        Cell::Nanos(nanos) => human::duration(*nanos),
        Cell::Offset(nanos) => human::moment(*nanos),
        Cell::Number(number) => human::number(*number),
        Cell::Share(share) => human::share(*share),
        Cell::Bytes(bytes) => human::size(*bytes),
        Cell::Sums(sums) => {
            let shown = sums.iter().filter(|sum| sum.1 > 0).take(ENTRIES);
            let each = shown.map(|(name, nanos)| {
                let name = if name.is_empty() { "(unknown)" } else { name };
                format!("{name} {}", human::duration(*nanos))
            });
            each.collect::<Vec<_>>().join(", ")
        }
        Cell::Ids(ids) => {
            let shown: Vec<_> = ids.iter().take(IDS).map(ToString::to_string).collect();
            let more = ids.len().saturating_sub(IDS);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            shown.join(" ") + &rest
        }
        Cell::Texts(_) | Cell::Json(_) => String::new(),
    }
}

/// A line of CSV.
fn write_record(out: &mut Vec<u8>, row: &[Cell]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().buffer_capacity(256).from_writer(out);
    writer.write_record(row.iter().map(|cell| match cell {
        Cell::None | Cell::Json(_) => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Bool(is) => is.to_string(),
        Cell::Texts(texts) => texts.join(";"),
        Cell::Count(number) | Cell::Bytes(number) => number.to_string(),
        Cell::Id(number) | Cell::Nanos(number) | Cell::Offset(number) => number.to_string(),
        Cell::Share(share) | Cell::Number(share) => share.to_string(),
        Cell::Sums(sums) => {
            let each: Vec<_> = sums.iter().map(|(name, ns)| format!("{name}={ns}")).collect();
            each.join(";")
        }
        Cell::Ids(ids) => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    }))?;
    writer.flush()?;
    Ok(())
}

/// Large numbers first, texts from A to Z, nothing last.
fn compare(a: &Cell, b: &Cell) -> Ordering {
    let rank = |cell: &Cell| match cell {
        Cell::Count(number) | Cell::Bytes(number) => *number as f64,
        Cell::Nanos(number) => *number as f64,
        Cell::Share(share) | Cell::Number(share) => *share,
        Cell::Sums(sums) => sums.iter().map(|sum| sum.1).sum::<i64>() as f64,
        Cell::Ids(ids) => ids.len() as f64,
        Cell::Bool(is) => f64::from(u8::from(*is)),
        Cell::None => f64::NEG_INFINITY,
        Cell::Text(_) | Cell::Texts(_) | Cell::Json(_) | Cell::Id(_) | Cell::Offset(_) => 0.0,
    };
    match (a, b) {
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Id(a), Cell::Id(b)) | (Cell::Offset(a), Cell::Offset(b)) => a.cmp(b),
        _ => rank(b).total_cmp(&rank(a)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_come_first_and_nothing_last() {
        let mut cells = [Cell::None, Cell::Nanos(3), Cell::Nanos(70), Cell::Nanos(-1)];
        cells.sort_by(compare);
        assert_eq!(cells, [Cell::Nanos(70), Cell::Nanos(3), Cell::Nanos(-1), Cell::None]);
        let mut texts = [Cell::Text("b".into()), Cell::Text("a".into())];
        texts.sort_by(compare);
        assert_eq!(texts[0], Cell::Text("a".into()));
    }

    #[test]
    fn people_see_what_matters_of_maps_and_lists() {
        let sums = [("a", 5_000), ("b", 40), ("c", 30), ("d", 20)];
        let sums = sums.map(|(name, nanos)| (name.to_owned(), nanos));
        assert_eq!(text(&Cell::Sums(sums.to_vec())), "a 5.00 µs, b 40 ns, c 30 ns");
        assert_eq!(text(&Cell::Ids((0..10).collect())), "0 1 2 3 4 5 6 7 and 2 more");
    }

    #[test]
    fn names_cannot_break_a_table() {
        assert_eq!(on_one_line("a\nb\u{1b}[1m".to_owned(), false), "a\\nb\\u{1b}[1m");
        let long = on_one_line("é".repeat(100), false);
        assert_eq!((long.chars().count(), long.ends_with('…')), (60, true));
        assert_eq!(on_one_line("é".repeat(100), true).chars().count(), 100);
    }
}
