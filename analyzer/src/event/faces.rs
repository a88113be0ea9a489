//! What an event is about: one profile, and more of them where a duty officer put unlike posts together. A new post is
//! compared with each, for the sum of unlike tellings would be like none of them.

use serde::{Deserialize, Serialize};

use super::Profile;
use super::profile::SpreadOut;

/// Faces of an event, at most; what is like none goes to the one it is most like then.
const MOST: usize = 16;

/// The profiles of an event, the first of the post that opened it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Faces {
    first: Profile,
    others: Vec<Profile>,
}

impl Faces {
    /// The one that the event began with.
    pub(super) fn first(&self) -> &Profile {
        &self.first
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Profile> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How like the most like face a post is, a cosine.
    pub(super) fn similarity_to(&self, post: &SpreadOut) -> f64 {
        let others = self.others.iter().map(|face| face.similarity_to(post));
        others.fold(self.first.similarity_to(post), f64::max)
    }

    /// Adds a post to the face it is most like, and says which. One that an officer put there opens a face of its own where
    /// it is like none by `least`; the post that opens the event needs no comparison.
    pub(super) fn add(&mut self, post: &Profile, opens: bool, least: Option<f64>) -> u32 {
        let alone = self.others.is_empty() && least.is_none();
        let mut face = if opens || alone {
            0
        } else {
            self.most_like(post, least)
        };
        if face > self.others.len() {
            self.others.reserve_exact(1);
            self.others.push(Profile::default());
        }
        face = face.min(self.others.len());
        self.face(face).add(post);
        face as u32
    }

    /// Takes a post from the face it was added to.
    pub(super) fn remove(&mut self, post: &Profile, face: u32) {
        let face = (face as usize).min(self.others.len());
        self.face(face).remove(post);
    }

    fn most_like(&self, post: &Profile, least: Option<f64>) -> usize {
        let post = post.spread_out();
        let likeness = |face: &Profile| face.similarity_to(&post);
        let most = (self.iter().map(likeness).enumerate())
            .max_by(|(_, one), (_, other)| one.total_cmp(other));
        match (most, least) {
            (Some((_, similarity)), Some(least))
                if similarity < least && self.others.len() + 1 < MOST =>
            {
                self.others.len() + 1
            }
            (Some((face, _)), _) => face,
            (None, _) => 0,
        }
    }

    fn face(&mut self, number: usize) -> &mut Profile {
        match number.checked_sub(1) {
            Some(other) if other < self.others.len() => &mut self.others[other],
            _ => &mut self.first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::tests::tell;
    use super::*;

    const WATER: &str = "望江花园停水\n望江花园小区停水五天无人管";
    const NOISE: &str = "工地夜里施工\n附近工地打桩吵得孩子睡不着觉";

    #[test]
    fn unlike_posts_put_together_have_a_face_each_and_stay_findable() {
        let (water, noise) = (Profile::of(WATER, tell), Profile::of(NOISE, tell));
        let mut faces = Faces::default();
        assert_eq!(faces.add(&water, true, None), 0);
        for _ in 0..20 {
            assert_eq!(faces.add(&water, false, None), 0);
        }
        assert_eq!(faces.add(&noise, false, Some(0.19)), 1);
        assert_eq!(faces.add(&noise, false, None), 1, "a later post like it");
        assert_eq!(faces.add(&water, false, Some(0.19)), 0);
        assert!(faces.similarity_to(&noise.spread_out()) > 0.9);
        assert!(faces.similarity_to(&water.spread_out()) > 0.9);
        faces.remove(&noise, 1);
        faces.remove(&noise, 1);
        assert!(faces.similarity_to(&noise.spread_out()) < 0.2);
    }
}
