//! What is asked for: the parameters of an address, its ids, and the body. Whatever is not expected is refused, with the
//! field and the remedy.

use std::ops::RangeInclusive;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error};
use url::form_urlencoded::parse;

use super::problem::Problem;
use crate::case::LARGEST;

/// Largest body, in bytes.
const LARGEST_BODY: usize = 64 * 1024;
/// Longest id, in characters.
const LONGEST_ID: usize = 100;
/// Most items of a page.
pub(super) const MOST_ITEMS: u32 = 200;
/// Items of a page where nothing else is said.
const USUAL_ITEMS: u32 = 30;
/// Most items to pass over.
pub(super) const DEEPEST: u32 = 1_000_000;

/// The parameters of an address.
pub(super) struct Asked(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(parse(query.as_bytes()).into_owned().collect()))
    }
}

impl Asked {
    /// The same, when it has none but these parameters and each once.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, Problem> {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let detail = if known.is_empty() {
                    "此接口不接受查询参数，请去掉。".to_owned()
                } else {
                    format!("没有这个参数；可用的参数：{}。", known.join("、"))
                };
                return Err(wrong(name, detail));
            }
            if self.0.iter().take(index).any(|(other, _)| other == name) {
                return Err(wrong(name, "参数重复，请只写一次。"));
            }
            // PostgreSQL keeps no text with this character.
            if value.contains('\0') {
                return Err(wrong(name, "参数含有空字符（%00），请去掉。"));
            }
        }
        Ok(self)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A text of a length; empty where it is not given.
    pub(super) fn text(&self, name: &str, longest: usize) -> Result<String, Problem> {
        let text = self.get(name).unwrap_or_default();
        if text.chars().count() > longest {
            return Err(wrong(name, format!("请控制在{longest}字以内。")));
        }
        Ok(text.to_owned())
    }

    /// A text of a length that must be given.
    pub(super) fn needed(&self, name: &str, longest: usize) -> Result<String, Problem> {
        let text = self.text(name, longest)?;
        if text.is_empty() {
            return Err(wrong(name, "请填写此参数。"));
        }
        Ok(text)
    }

    /// A whole number within bounds.
    pub(super) fn number<N>(
        &self,
        name: &str,
        bounds: &RangeInclusive<N>,
    ) -> Result<Option<N>, Problem>
    where
        N: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<N>() {
            Ok(number) if plain && bounds.contains(&number) => Ok(Some(number)),
            _ => {
                let detail = format!("请填写{}至{}之间的整数。", bounds.start(), bounds.end());
                Err(wrong(name, detail))
            }
        }
    }

    /// `true` or `false`; `false` where it is not given.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(wrong(name, "请填写 true 或 false。")),
        }
    }

    /// A time as RFC 3339 writes it.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.get(name)
            .map(|text| {
                let detail = "请填写带时区的时间，如 2026-11-23T08:00:00+08:00。";
                text.parse().map_err(|_| wrong(name, detail))
            })
            .transpose()
    }

    /// One of several values.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &str,
        choices: &[T],
        named: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let found = choices.iter().find(|choice| named(**choice) == text);
        match found {
            Some(choice) => Ok(Some(*choice)),
            None => {
                let known: Vec<_> = choices.iter().map(|choice| named(*choice)).collect();
                Err(wrong(name, format!("可用的值：{}。", known.join("、"))))
            }
        }
    }

    /// How many to pass over, and how many to give.
    pub(super) fn page(&self) -> Result<(u32, u32), Problem> {
        Ok((
            self.number("offset", &(0..=DEEPEST))?.unwrap_or(0),
            self.number("limit", &(1..=MOST_ITEMS))?
                .unwrap_or(USUAL_ITEMS),
        ))
    }
}

fn wrong(field: &str, detail: impl Into<String>) -> Problem {
    Problem::Parameter {
        field: field.to_owned(),
        detail: detail.into(),
    }
}

/// The id, or the name, in a path. What cannot be one is not found.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|_| Problem::NotFound)?;
        possible(id).map(Self)
    }
}

/// The two ids in a path: of a thing, and of what belongs to it.
pub(super) struct Ids(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((of, id)) = path.map_err(|_| Problem::NotFound)?;
        Ok(Self(possible(of)?, possible(id)?))
    }
}

fn possible(id: String) -> Result<String, Problem> {
    if id.chars().count() > LONGEST_ID || id.chars().any(char::is_control) {
        return Err(Problem::NotFound);
    }
    Ok(id)
}

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body(request, "application/json", LARGEST_BODY, "64KB").await?;
        read(&bytes).map(Self)
    }
}

/// A body of bytes: a file.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for Bytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body(request, "application/octet-stream", LARGEST, "10MB").await?;
        Ok(Self(bytes.into()))
    }
}

/// The body, where it is of that type and no larger than that; `told` is the same size for people.
async fn body(
    request: Request,
    wanted: &'static str,
    largest: usize,
    told: &'static str,
) -> Result<axum::body::Bytes, Problem> {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(wanted) {
        return Err(Problem::MediaType(wanted));
    }
    to_bytes(request.into_body(), largest)
        .await
        .map_err(|_| Problem::TooLarge(told))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        Problem::Body {
            field: if field == "." { String::new() } else { field },
            detail: format!("请按接口文档改正：{}。", error.inner()),
        }
    })?;
    reader.end().map_err(|error| Problem::Body {
        field: String::new(),
        detail: format!("请只提交一个 JSON 对象：{error}。"),
    })?;
    // PostgreSQL keeps no text with this character.
    if bytes.windows(6).any(|six| six == b"\\u0000") {
        return Err(Problem::Body {
            field: String::new(),
            detail: "文字中含有空字符（\\u0000），请去掉。".to_owned(),
        });
    }
    Ok(read)
}

/// Reads a whole number, also where it is written as `18.0`: JSON Schema calls that an integer.
pub(super) fn whole<'de, D, N>(deserializer: D) -> Result<N, D::Error>
where
    D: serde::Deserializer<'de>,
    N: TryFrom<i64>,
{
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole = number.as_i64().or_else(|| {
        let number = number.as_f64()?;
        // Above this, not every whole number is one of f64.
        (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0).then_some(number as i64)
    });
    whole
        .and_then(|whole| N::try_from(whole).ok())
        .ok_or_else(|| D::Error::custom(format!("{number} is not a whole number within bounds")))
}

/// Refuses a field of a body whose text is too long.
pub(super) fn within(field: &str, text: &str, longest: usize) -> Result<(), Problem> {
    if text.chars().count() > longest {
        return Err(Problem::Body {
            field: field.to_owned(),
            detail: format!("请控制在{longest}字以内。"),
        });
    }
    Ok(())
}

/// Refuses a list of a body that is too long.
pub(super) fn at_most(field: &str, values: usize, most: usize) -> Result<(), Problem> {
    if values > most {
        return Err(Problem::Body {
            field: field.to_owned(),
            detail: format!("最多{most}项。"),
        });
    }
    Ok(())
}

/// The schema of a text that is one of several names.
pub(super) fn names<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::Type::String)
        .enum_values(Some(names))
        .build()
        .into()
}
