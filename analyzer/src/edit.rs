//! Edits: what duty officers say of events, applied by writing the assessments of the posts that move once more, with the
//! event they now belong to. The window, its rebuild and the archive follow those as they follow any assessment.

use backbone::message::{Alert, Assessment, Change, EventEdit, EventMembership};
use jiff::Timestamp;

use crate::event::plain_title;
use crate::pipeline::Pipeline;
use crate::state::State;

/// What came of an edit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edited {
    /// The assessments of the posts that moved, as they are to be written.
    pub assessments: Vec<Assessment>,
    /// The alerts due by it: of the event that the posts joined, when it reached a level.
    pub alerts: Vec<Alert>,
}

impl Pipeline {
    /// Applies the edit of an offset to the posts that it moves, see [`crate::event::Window::moved_by`]; `moved` are their
    /// newest assessments. The same edit again moves nothing.
    pub fn edit(
        &self,
        edit: &EventEdit,
        offset: i64,
        moved: Vec<Assessment>,
        state: &mut State,
        now: Timestamp,
    ) -> Edited {
        state.window.edit(offset);
        let (source, target) = (edit.source(), edit.target());
        let is_in = |assessment: &Assessment| {
            let membership = state.window.membership(&assessment.post.id);
            membership.is_some_and(|membership| membership.id == source)
        };
        let mut assessments = moved;
        assessments.retain(is_in);
        let known = state.window.event(&target);
        let title = known.map(|event| event.title().to_owned());
        let Some(title) = title.or_else(|| title_of(&edit.change, &assessments)) else {
            return Edited::default();
        };
        for assessment in &mut assessments {
            assessment.assessed_at = now;
            assessment.event = Some(EventMembership {
                id: target.clone(),
                title: title.clone(),
                similarity: 1.0,
                // Told below: said now, it would count as an alert that told of the post.
                level: None,
                edit: Some(offset),
            });
            self.restore(assessment, -1, state);
        }
        let mut alerts = Vec::new();
        for event in [target.as_str(), source] {
            let newest = state.window.event(event).map(|event| event.last_at());
            if let (Some(newest), false) = (newest, assessments.is_empty()) {
                alerts.extend(self.weigh(event, newest, state, now));
            }
        }
        let level = (state.window.event(&target)).and_then(|event| event.alerted().level());
        for membership in assessments
            .iter_mut()
            .filter_map(|said| said.event.as_mut())
        {
            membership.level = level;
        }
        Edited {
            assessments,
            alerts,
        }
    }
}

/// The title of an event that a split opens: the officer's, or that of its first post.
fn title_of(change: &Change, assessments: &[Assessment]) -> Option<String> {
    let Change::Split { title, .. } = change else {
        return None;
    };
    let first = assessments
        .iter()
        .map(|assessment| &assessment.post)
        .min_by_key(|post| (post.published_at, post.id.as_str()))?;
    let said = title
        .as_deref()
        .map(str::trim)
        .filter(|title| !title.is_empty());
    Some(said.map_or_else(|| plain_title(&first.title, &first.text), str::to_owned))
}
