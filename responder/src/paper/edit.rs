//! Editing the wording. What is written must be readable as a report, and its numbers must be those that were generated,
//! unless the editor says why not; who signs it sees that.

use jiff::Timestamp;
use report::numbers::{Changes, changes};
use report::{Figures, ReportError, markdown};

use super::store::write_down;
use super::{Action, PaperError, Papers, link};
use crate::case::Actor;

/// Longest wording, in characters.
pub const LONGEST: usize = 200_000;
/// Longest title.
pub const LONGEST_TITLE: usize = 60;
/// Longest number of a paper.
pub const LONGEST_NUMBER: usize = 40;
/// Longest reason.
pub const LONGEST_REASON: usize = 500;
/// Numbers that are told of each kind.
const TOLD: usize = 20;

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The title.
    pub title: String,
    /// The number of the paper; may be empty.
    pub number: String,
    /// The wording.
    pub text: String,
    /// Why its numbers are not those that were generated; needed only where they are not.
    pub reason: String,
    /// The model that reworded a paragraph, where it was one: whoever signs is told.
    pub polished_by: String,
}

impl Edit {
    /// The same, as it is kept: lines end as everywhere.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = self.text.replace("\r\n", "\n").replace('\r', "\n");
        Self {
            title: line(&self.title),
            number: line(&self.number),
            text: format!("{}\n", text.trim_end()),
            reason: self.reason.trim().to_owned(),
            polished_by: self.polished_by.clone(),
        }
    }
}

impl Papers {
    /// Edits a draft.
    ///
    /// # Errors
    /// When the role may not, the wording cannot be read (the line is named), a number changed and nobody says why, others
    /// were faster, or the store fails.
    pub async fn edit(
        &self,
        id: &str,
        version: i64,
        edit: &Edit,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), PaperError> {
        let (paper, content) = self.read(id).await?.ok_or(PaperError::NotFound)?;
        Action::Edit.check(actor.role, paper.state)?;
        let mut edit = edit.trimmed();
        edit.text = link::whole(&edit.text, &content.generated)?;
        for (what, text, longest) in [
            ("标题", &edit.title, LONGEST_TITLE),
            ("文号", &edit.number, LONGEST_NUMBER),
            ("正文", &edit.text, LONGEST),
            ("理由", &edit.reason, LONGEST_REASON),
        ] {
            if text.chars().count() > longest {
                return Err(PaperError::TooLong(what, longest));
            }
        }
        if edit.title.is_empty() {
            return Err(PaperError::Missing("标题"));
        }
        if edit.text.trim().is_empty() {
            return Err(PaperError::Missing("正文"));
        }
        readable(&edit.text, &content.figures)?;
        let changed = changes(&content.generated, &edit.text);
        let reason = if changed.are_none() {
            ""
        } else if edit.reason.is_empty() {
            return Err(PaperError::Numbers(told(&changed)));
        } else {
            edit.reason.as_str()
        };
        let mut transaction = self.store.begin().await?;
        // Safe: the states are this program's own words.
        let statement = sqlx::AssertSqlSafe(format!(
            "UPDATE papers SET title = $1, number = $2, text = $3, reason = $4, edited_by = $5, edited_at = $6, \
             version = version + 1 WHERE id = $7 AND version = $8 AND state IN ({})",
            Action::Edit.leads_from()
        ));
        let edited = sqlx::query(statement)
            .bind(&edit.title)
            .bind(&edit.number)
            .bind(&edit.text)
            .bind(reason)
            .bind(&actor.name)
            .bind(now.as_millisecond())
            .bind(id)
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        if edited.rows_affected() == 0 {
            return Err(PaperError::Stale);
        }
        let (of, model) = (version + 1, edit.polished_by.as_str());
        let (action, note) = if model.is_empty() {
            (Action::Edit, reason)
        } else {
            (Action::Polish, model)
        };
        write_down(&mut transaction, id, of, action, actor, note, now).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Whether a wording can be read as a report; if not, which line and why.
pub(super) fn readable(text: &str, figures: &Figures) -> Result<(), PaperError> {
    let problem = match markdown::read(text, figures) {
        Ok(_) => return Ok(()),
        Err(ReportError::Markdown { line, problem, .. }) => {
            let placed = (figures
                .tables
                .iter()
                .map(|table| format!("table:{}", table.name)))
            .chain((figures.charts.iter()).map(|chart| format!("chart:{}", chart.name)));
            format!(
                "第{line}行写法有误（{problem}）。图表写作 ![](名称)，单独成段，名称为下列之一：{}；标题用 # 至 ###",
                placed.collect::<Vec<_>>().join("、")
            )
        }
        Err(other) => format!("正文写法有误（{other}）"),
    };
    Err(PaperError::Wording(problem))
}

/// What an edit did to the numbers, in words.
#[must_use]
pub fn told(changed: &Changes) -> String {
    let list = |what: &str, numbers: &[String]| {
        let more = if numbers.len() > TOLD { "等" } else { "" };
        let some: Vec<&str> = numbers.iter().take(TOLD).map(String::as_str).collect();
        (!numbers.is_empty()).then(|| format!("{what}{}{more}", some.join("、")))
    };
    let mut parts: Vec<String> = [list("缺少", &changed.missing), list("多出", &changed.added)]
        .into_iter()
        .flatten()
        .collect();
    if changed.reordered {
        parts.push("数字的先后次序变了".to_owned());
    }
    parts.join("；")
}
