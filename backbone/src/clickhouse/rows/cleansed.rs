//! Rows without what was erased on request, as [`Erased::cleanse`] does with messages.

use jiff::Timestamp;

use super::{AlertRow, AssessmentOf, CaseEventRow, SignalRow};
use crate::erased::{ERASED_TITLE, Erased};

impl<T: From<String> + AsRef<str>> AssessmentOf<T> {
    /// Takes away what was erased.
    pub fn cleanse(&mut self, erased: &Erased) {
        if erased.count() == 0 {
            return;
        }
        if let Some(title) = erased.title(self.event_id.as_ref()) {
            self.event_title = title.into();
        }
        if !erased.has(self.post_id.as_ref()) {
            return;
        }
        let nothing = || T::from(String::new());
        self.title = ERASED_TITLE.to_owned().into();
        (self.text, self.url, self.author) = (nothing(), nothing(), nothing());
        self.relevant_because.clear();
        self.subject_because.clear();
        self.sentiment_because.clear();
        self.appeal_because.clear();
        self.keywords.clear();
        self.evidence = "[]".to_owned().into();
    }
}

impl AlertRow {
    /// Takes away what was erased.
    pub fn cleanse(&mut self, erased: &Erased) {
        if let Some(title) = erased.title(&self.event_id) {
            self.title = title;
        }
        let raised_at = Timestamp::from_millisecond(self.raised_at).unwrap_or_default();
        if erased.may_quote(&self.event_id, raised_at) {
            self.gist.clear();
        }
    }
}

impl SignalRow {
    /// Takes away what was erased.
    pub fn cleanse(&mut self, erased: &Erased) {
        for (event, title) in self.events.iter().zip(&mut self.event_titles) {
            if let Some(known) = erased.title(event) {
                *title = known;
            }
        }
    }
}

impl CaseEventRow {
    /// Holds no words of a post.
    pub fn cleanse(&mut self, _: &Erased) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clickhouse::rows::{AssessmentRow, OfMessage};
    use crate::id;
    use crate::message::{self, Assessment, ErasedFrom, Erasure};

    /// A row is that of the message without what was erased, by either way.
    #[test]
    fn a_row_loses_what_its_message_loses() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/examples/assessments/v1/relevant.json"
        );
        let mut assessment: Assessment = message::decode(&std::fs::read(path).unwrap()).unwrap();
        let erased = Erased::default();
        erased.learn([Erasure {
            id: id::of_erasure(&assessment.post.id),
            region: assessment.post.region.clone(),
            post: assessment.post.id.clone(),
            events: vec![ErasedFrom {
                event: assessment.event.as_ref().unwrap().id.clone(),
                title: Some("物业管理".to_owned()),
            }],
            role: "leader".to_owned(),
            at: Timestamp::default(),
        }]);
        let bytes = message::encode(&assessment).unwrap();
        let row = <AssessmentRow as OfMessage>::read(&bytes).unwrap();
        let row = AssessmentRow::cleansed(row, &erased);
        erased.cleanse(&mut assessment);
        assert_eq!(row, AssessmentOf::from(&assessment));
    }
}
