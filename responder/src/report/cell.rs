//! Cells of tables, as all reports write them.

use report::{Cell, Column, Value};

use super::facts::{Bounded, Met, Number};

pub(super) fn column(name: impl Into<String>, number: bool) -> Column {
    Column {
        name: name.into(),
        number,
    }
}

pub(super) fn text(value: impl Into<String>) -> Cell {
    Value::Text(value.into()).into()
}

pub(super) fn number(value: f64) -> Cell {
    Value::Number { value, digits: 0 }.into()
}

pub(super) fn cited(number: &Number) -> Cell {
    Cell {
        value: Value::Number {
            value: number.value,
            digits: 0,
        },
        link: Some(number.link.clone()),
    }
}

pub(super) fn percent(value: Option<f64>) -> Cell {
    value
        .map_or(Value::Empty, |value| Value::Percent { value, digits: 1 })
        .into()
}

pub(super) fn linked(value: &str, link: &str) -> Cell {
    Cell {
        value: Value::Text(value.to_owned()),
        link: (!link.is_empty()).then(|| link.to_owned()),
    }
}

/// `Ⅱ级`; `—` where it reached none.
pub(super) fn event_level(level: Option<u8>) -> Cell {
    let numeral = level.and_then(|level| report::wording::level(u64::from(level)));
    text(numeral.map_or("—".to_owned(), |numeral| format!("{numeral}级")))
}

/// `3/5`: how many were in time, of how many.
pub(super) fn met(met: &Met) -> Cell {
    text(if met.all == 0 {
        "—".to_owned()
    } else {
        format!("{}/{}", met.in_time, met.all)
    })
}

/// The bounds of a share.
pub(super) fn between(share: Option<Bounded>) -> Cell {
    text(share.map_or("—".to_owned(), |share| {
        format!(
            "{}–{}",
            report::wording::percent(share.low, 0),
            report::wording::percent(share.high, 0)
        )
    }))
}
