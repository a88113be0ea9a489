//! What a move changes in its case. Pure: the store reads, this changes, the store writes.

use jiff::Timestamp;

use super::{Action, Actor, Case, Deed, Part, Progress, State, Timing};

/// Changes a case by a move that its rule lets the actor make; `to` is the state after it.
pub(super) fn apply(
    case: &mut Case,
    deed: &Deed,
    actor: &Actor,
    to: State,
    timing: &Timing,
    now: Timestamp,
) {
    let (from, level) = (case.state, case.level);
    // A unit that signs or reports does not end what the office has paused.
    let of_a_unit = matches!(deed.action, Action::Sign | Action::Report);
    if (to != from && !of_a_unit) || deed.action == Action::Resume {
        resume(case, now);
    }
    case.state = to;
    match deed.action {
        Action::Dispatch | Action::Redispatch => {
            let same_lead = case.lead() == deed.lead;
            if !same_lead {
                case.routed_because = format!("{}指定牵头单位", actor.role.title());
            }
            send(case, deed, Some(timing.sign(level, now)));
            if same_lead && deed.action == Action::Redispatch {
                case.state = from;
            }
        }
        Action::Sign => {
            if let Some(part) = case.part_mut(&actor.unit) {
                part.progress = Progress::Signed;
                part.sign_by = None;
            }
        }
        Action::Report => {
            if let Some(part) = case.part_mut(&actor.unit) {
                part.progress = Progress::Reported;
            }
            if actor.unit == case.lead() {
                case.first_information_by = None;
            }
        }
        Action::Reply => {
            deed.note.trim().clone_into(&mut case.reply);
            case.first_information_by = None;
            case.extension_by = None;
            case.review_by = Some(timing.review(level, now));
        }
        Action::Return => hand_back(case, deed, actor),
        Action::SendBack => case.review_by = None,
        Action::Approve => {
            case.review_by = None;
            case.answered_at = Some(now);
        }
        Action::Close => case.follow_up_by = Some(timing.follow_up(level, now)),
        Action::FollowUp => {
            case.follow_up_by = None;
            case.satisfaction.clone_from(&deed.choice);
        }
        Action::AskExtension => case.extension_by = Some(timing.decision(level, now)),
        Action::Extend => {
            case.respond_by = timing.extended(level, case.respond_by, now);
            case.extension_by = None;
        }
        Action::RefuseExtension => case.extension_by = None,
        Action::Pause => case.paused_at = Some(now),
        Action::Reopen | Action::Split => {
            case.merged_into.clear();
            restart(case, timing, now);
        }
        Action::Merge => {
            case.merged_into.clone_from(&deed.into);
            stop(case);
        }
        Action::Dismiss => stop(case),
        _ => {}
    }
}

/// Brings a case to a graver level; one at its end is pending again.
pub(super) fn raise(case: &mut Case, level: u8, timing: &Timing, now: Timestamp) {
    case.level = level;
    if case.state.open() {
        resume(case, now);
        case.respond_by = case.respond_by.min(timing.response(level, now));
        case.first_information_by = case
            .first_information_by
            .or(timing.first_information(level, now));
    } else {
        case.state = State::Pending;
        restart(case, timing, now);
    }
}

/// Takes the units of a case that is merged into this one, and its level where that is graver.
pub(super) fn absorb(case: &mut Case, other: &Case, timing: &Timing, now: Timestamp) {
    if other.level < case.level {
        raise(case, other.level, timing, now);
    }
    let sent = matches!(
        case.state,
        State::Dispatched | State::Signed | State::Handling
    );
    let sign_by = sent.then(|| timing.sign(case.level, now));
    for part in &other.parts {
        if case.part(&part.unit).is_none() {
            case.parts.push(Part::sent(&part.unit, sign_by));
        }
    }
}

/// Sends a case to its units; those that have signed before stay as far as they are.
fn send(case: &mut Case, deed: &Deed, sign_by: Option<Timestamp>) {
    let before = std::mem::take(&mut case.parts);
    let units = std::iter::once(&deed.lead).chain(&deed.assists);
    for unit in units {
        if case.part(unit).is_none() {
            let known =
                (before.iter()).find(|part| part.unit == *unit && part.progress != Progress::Sent);
            let part = known.cloned().unwrap_or_else(|| Part::sent(unit, sign_by));
            case.parts.push(part);
        }
    }
}

/// A lead hands the whole case back, with whom it proposes; a unit that assists its own part.
fn hand_back(case: &mut Case, deed: &Deed, actor: &Actor) {
    if actor.unit != case.lead() {
        case.parts.retain(|part| part.unit != actor.unit);
        return;
    }
    case.hand_backs += 1;
    case.extension_by = None;
    if !deed.lead.is_empty() {
        // The proposal leads; who hands back is not among those proposed.
        case.parts
            .retain(|part| part.unit != actor.unit && part.unit != deed.lead);
        case.parts.insert(0, Part::sent(&deed.lead, None));
        case.routed_because = format!("退回单位建议改派：{}", deed.note.trim());
    }
    for part in &mut case.parts {
        *part = Part::sent(&part.unit, None);
    }
}

/// Nothing of the case is due any more.
fn stop(case: &mut Case) {
    for part in &mut case.parts {
        part.sign_by = None;
    }
    case.first_information_by = None;
    case.extension_by = None;
    case.review_by = None;
    case.follow_up_by = None;
}

/// The clocks of a case that is to be judged anew begin now.
fn restart(case: &mut Case, timing: &Timing, now: Timestamp) {
    stop(case);
    for part in &mut case.parts {
        part.progress = Progress::Sent;
    }
    case.answered_at = None;
    case.satisfaction.clear();
    case.respond_by = timing.response(case.level, now);
    case.first_information_by = timing.first_information(case.level, now);
}

/// The clocks go on: what was due moves by the time that they stood.
fn resume(case: &mut Case, now: Timestamp) {
    let Some(since) = case.paused_at.take() else {
        return;
    };
    let stood = now.duration_since(since);
    let later = |due: &mut Timestamp| *due += stood;
    (case.parts.iter_mut())
        .filter_map(|part| part.sign_by.as_mut())
        .for_each(later);
    later(&mut case.respond_by);
    [
        &mut case.first_information_by,
        &mut case.extension_by,
        &mut case.review_by,
        &mut case.follow_up_by,
    ]
    .into_iter()
    .flatten()
    .for_each(later);
}
