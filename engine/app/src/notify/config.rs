//! `notify.yaml`: where messages go, and which rules send them. It stands beside connections.yaml.
//!
//! ```yaml
//! link: https://engine.example.com
//! channels:
//!   ops: {kind: webhook, url: "https://alarms.example.com/", sign: "${secret:alarms}"}
//! rules:
//!   - {when: failed, channels: [ops], escalate: 1h}
//! ```
//! All problems of the file come at once, with their places. Secrets are references, and resolved only to send.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use connector::Secrets;
use connector::connections::{references_in, resolve_text};
use dsl::catalogue::{Entry, auth, connector as words};
use dsl::diagnostic::{Diagnostic, Lang, SourceFile, did_you_mean};
use dsl::keys::duration_ms;
use dsl::yaml::{self, Node, NodeKind, Pair};
use dsl::{Failure, Value};
use flow::ids::Ms;

use super::channel::{Channel, ChannelKind, MailServer, Security};
use super::rule::{Rule, When};
use crate::error::AppError;
use crate::workspace::{parent, read};

/// The name of the file.
pub const FILE: &str = "notify.yaml";
/// Channels and rules of one file, and addresses of one list: far more than anyone reads.
const MOST: usize = 100;

/// The file, checked.
#[derive(Debug, Clone)]
pub struct Notify {
    /// The language of the messages.
    pub lang: Lang,
    /// Where the console of this engine is; `None` = messages name a command instead.
    pub link: Option<String>,
    /// The channels, in the order of the file.
    pub channels: Vec<Written>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A channel as the file writes it.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// Texts with references, by key.
    texts: Vec<(&'static str, String)>,
    mention: Vec<String>,
    to: Vec<String>,
    security: Security,
    plain_http: bool,
    private_network: bool,
}

impl Written {
    fn text(&self, key: &str) -> Option<&str> {
        let found = self.texts.iter().find(|(name, _)| *name == key);
        found.map(|(_, text)| text.as_str())
    }

    /// The references of this channel.
    pub fn references(&self) -> Vec<(connector::SecretKind, String)> {
        let all = self.texts.iter().filter_map(|(_, text)| references_in(text).ok());
        all.flatten().collect()
    }

    /// The channel for sending: its references are resolved, and only its own.
    pub fn resolve(&self, secrets: &dyn Secrets) -> Result<Channel, Failure> {
        let text = |key: &'static str| match self.text(key).map(|text| resolve_text(text, secrets)) {
            None => Ok(None),
            Some(Ok(Ok(value))) => Ok(Some(value)),
            Some(Ok(Err(reference))) => Err(secrets.problem().unwrap_or_else(|| {
                Failure::new(&auth::SECRET_MISSING)
                    .with("connection", &self.name)
                    .with("name", key)
                    .with("reference", reference)
            })),
            // What looks like a reference and is none was told when the file was read.
            Some(Err(text)) => Err(Failure::new(&words::BAD_REFERENCE).with("text", text)),
        };
        Ok(Channel {
            name: self.name.clone(),
            kind: self.kind,
            url: text("url")?.unwrap_or_default(),
            sign: text("sign")?,
            keyword: self.text("keyword").map(str::to_owned),
            mention: self.mention.clone(),
            mail: match self.kind {
                ChannelKind::Mail => Some(MailServer {
                    server: self.text("server").unwrap_or_default().to_owned(),
                    security: self.security,
                    user: text("user")?,
                    password: text("password")?,
                    from: self.text("from").unwrap_or_default().to_owned(),
                    to: self.to.clone(),
                }),
                _ => None,
            },
            plain_http: self.plain_http,
            private_network: self.private_network,
        })
    }
}

/// Reads the file beside a connections file; `None` when there is none.
pub fn beside(connections: Option<&Path>) -> Result<Option<Notify>, AppError> {
    let path = connections.map_or(Path::new("."), parent).join(FILE);
    if !path.is_file() {
        return Ok(None);
    }
    load(&read(&path)?).map(Some).map_err(AppError::Invalid)
}

/// Reads and checks the file.
pub fn load(file: &Arc<SourceFile>) -> Result<Notify, Vec<Diagnostic>> {
    let node = yaml::read(file)?;
    let mut reader = Reader {
        file,
        problems: Vec::new(),
    };
    let notify = reader.notify(&node);
    match reader.problems.is_empty() {
        true => Ok(notify),
        false => Err(without_secrets(file, reader.problems)),
    }
}

/// The problems over a file in which what may be a secret is not to be seen: its lines are drawn.
fn without_secrets(file: &Arc<SourceFile>, mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut bytes = file.text.clone().into_bytes();
    for problem in &problems {
        let may_be_one = problem.entry == &words::SECRET_IN_CLEAR || problem.entry == &words::BAD_REFERENCE;
        if let Some(hidden) = bytes.get_mut(problem.span.clone()).filter(|_| may_be_one) {
            hidden.fill(b'*');
        }
    }
    // Spans lie between characters, so that what is left is text.
    let text = String::from_utf8(bytes).unwrap_or_default();
    let hidden = SourceFile::new(file.name.as_str(), text);
    for problem in &mut problems {
        problem.file = Arc::clone(&hidden);
    }
    problems
}

/// The keys of each place, with the words of the place.
const TOP: (&[&str], &str, &str) = (
    &["lang", "link", "channels", "rules"],
    "notify.yaml",
    "notify.yaml",
);
const RULE: (&[&str], &str, &str) = (
    &[
        "name", "when", "above", "for", "times", "only", "channels", "every", "data", "escalate",
    ],
    "一条规则",
    "a rule",
);

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn push(&mut self, entry: &'static Entry, span: &Range<usize>) -> &mut Diagnostic {
        self.problems
            .push(Diagnostic::new(entry, self.file, span.clone()));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn say(&mut self, entry: &'static Entry, span: &Range<usize>, facts: &[(&'static str, &str)]) {
        let problem = self.push(entry, span);
        problem
            .facts
            .extend(facts.iter().map(|(name, value)| (*name, (*value).to_owned())));
    }

    fn keys<'n>(&mut self, node: &'n Node, name: &str, (keys, zh, en): (&[&str], &str, &str)) -> &'n [Pair] {
        let pairs = self.map(node, name);
        for pair in pairs.iter().filter(|pair| !keys.contains(&pair.key.as_str())) {
            let near = did_you_mean(&pair.key, keys.iter().copied());
            self.say(
                &words::UNKNOWN_KEY,
                &pair.key_span,
                &[("key", &pair.key), ("where_zh", zh), ("where_en", en)],
            );
            if let Some(last) = self.problems.last_mut() {
                last.similar = near;
            }
        }
        pairs
    }

    fn map<'n>(&mut self, node: &'n Node, name: &str) -> &'n [Pair] {
        node.map().unwrap_or_else(|| {
            self.kind(node, name, ("映射", "a map"));
            &[]
        })
    }

    fn kind(&mut self, node: &Node, name: &str, (zh, en): (&str, &str)) {
        let (found_zh, found_en) = match node.kind {
            NodeKind::Map(_) => ("映射", "a map"),
            NodeKind::List(_) => ("列表", "a list"),
            NodeKind::Scalar(_) => ("单个值", "a single value"),
        };
        self.say(
            &words::KIND,
            &node.span,
            &[
                ("key", name),
                ("want_zh", zh),
                ("want_en", en),
                ("found_zh", found_zh),
                ("found_en", found_en),
            ],
        );
    }

    fn bad(&mut self, pair: &Pair, (zh, en): (&str, &str)) {
        let value = pair.value.scalar().map_or("…", |scalar| scalar.text.as_str());
        self.say(
            &words::BAD_VALUE,
            &pair.value.span,
            &[
                ("key", &pair.key),
                ("want_zh", zh),
                ("want_en", en),
                ("value", value),
            ],
        );
    }

    fn missing(&mut self, node: &Node, place: &str, key: &str) {
        let start = node.span.start;
        self.say(
            &words::MISSING_KEY,
            &(start..start),
            &[("where", place), ("key", key)],
        );
    }

    fn text<'n>(&mut self, pairs: &'n [Pair], key: &str) -> Option<(&'n Pair, &'n str)> {
        let pair = get(pairs, key)?;
        match pair.value.scalar() {
            Some(scalar) => Some((pair, &scalar.text)),
            None => {
                self.kind(&pair.value, key, ("单个值", "a single value"));
                None
            }
        }
    }

    fn texts(&mut self, pairs: &[Pair], key: &str) -> Option<Vec<(String, Range<usize>)>> {
        let pair = get(pairs, key)?;
        let nodes = pair.value.list().unwrap_or(std::slice::from_ref(&pair.value));
        let mut texts = Vec::new();
        for node in nodes.iter().take(MOST) {
            match node.scalar() {
                Some(scalar) => texts.push((scalar.text.clone(), node.span.clone())),
                None => self.kind(node, key, ("单个值", "a single value")),
            }
        }
        if nodes.len() > MOST {
            self.bad(pair, ("最多 100 项的列表", "a list of at most 100"));
        }
        Some(texts)
    }

    fn plain(&mut self, pairs: &[Pair], key: &str) -> Vec<String> {
        let texts = self.texts(pairs, key).unwrap_or_default();
        texts.into_iter().map(|(text, _)| text).collect()
    }

    fn word<T: Copy>(&mut self, pairs: &[Pair], key: &str, allowed: &[(&str, T)]) -> Option<T> {
        let (pair, text) = self.text(pairs, key)?;
        let found = allowed.iter().find(|(word, _)| *word == text);
        if let Some((_, meaning)) = found {
            return Some(*meaning);
        }
        let all: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
        let near = did_you_mean(text, all.iter().copied());
        self.say(
            &words::BAD_WORD,
            &pair.value.span,
            &[("key", key), ("value", text), ("allowed", &all.join(" "))],
        );
        if let Some(last) = self.problems.last_mut() {
            last.similar = near;
        }
        None
    }

    fn flag(&mut self, pairs: &[Pair], key: &str) -> bool {
        let Some(pair) = get(pairs, key) else { return false };
        match pair.value.plain_value() {
            Value::Bool(value) => value,
            _ => {
                self.bad(pair, ("true 或 false", "true or false"));
                false
            }
        }
    }

    fn duration(&mut self, pairs: &[Pair], key: &str, least: Ms) -> Option<Ms> {
        let (pair, text) = self.text(pairs, key)?;
        let found = duration_ms(text).filter(|ms| *ms >= least);
        if found.is_none() {
            self.bad(
                pair,
                ("时长,如 30m,至少 1m", "a duration such as 30m, at least 1m"),
            );
        }
        found
    }

    fn count<T: std::str::FromStr>(&mut self, pairs: &[Pair], key: &str) -> Option<T> {
        let (pair, text) = self.text(pairs, key)?;
        let found = text.parse().ok();
        if found.is_none() {
            self.bad(pair, ("整数,不小于 0", "a whole number, not below 0"));
        }
        found
    }

    fn notify(&mut self, node: &Node) -> Notify {
        let pairs = self.keys(node, FILE, TOP);
        let lang = self.word(pairs, "lang", &[("zh", Lang::Zh), ("en", Lang::En)]);
        let link = self.text(pairs, "link").map(|(pair, text)| {
            if !text.starts_with("https://") && !text.starts_with("http://") {
                self.bad(pair, ("http(s) 地址", "an http(s) address"));
            }
            text.trim_end_matches('/').to_owned()
        });
        let mut channels = Vec::new();
        match get(pairs, "channels") {
            Some(pair) => {
                for pair in self.map(&pair.value, "channels").iter().take(MOST) {
                    channels.extend(self.channel(pair));
                }
            }
            None => self.missing(node, FILE, "channels"),
        }
        let names: Vec<&str> = get(pairs, "channels")
            .and_then(|pair| pair.value.map())
            .into_iter()
            .flatten()
            .map(|pair| pair.key.as_str())
            .collect();
        let mut rules: Vec<Rule> = Vec::new();
        let listed = get(pairs, "rules");
        if let Some(pair) = listed {
            match pair.value.list() {
                Some(nodes) => {
                    for one in nodes.iter().take(MOST) {
                        if let Some(rule) = self.rule(one, &names, &rules) {
                            rules.push(rule);
                        }
                    }
                }
                None => self.kind(&pair.value, "rules", ("列表", "a list")),
            }
        } else {
            rules = usual(&names);
        }
        Notify {
            lang: lang.unwrap_or(Lang::Zh),
            link,
            channels,
            rules,
        }
    }

    fn channel(&mut self, pair: &Pair) -> Option<Written> {
        let name = &pair.key;
        let letter = |char: char| char.is_alphanumeric() || char == '_' || char == '-';
        if name.is_empty() || name.chars().count() > 64 || !name.chars().all(letter) {
            let want_en = "a name of at most 64 letters, digits, `_` and `-`";
            self.say(
                &words::BAD_VALUE,
                &pair.key_span,
                &[
                    ("key", "channels"),
                    ("want_zh", "由字母、数字、`_`、`-` 组成、最长 64 个字符的名称"),
                    ("want_en", want_en),
                    ("value", name),
                ],
            );
        }
        let inside = self.map(&pair.value, name);
        let Some(kind) = self.word(inside, "kind", &ChannelKind::ALL) else {
            if get(inside, "kind").is_none() {
                self.missing(&pair.value, name, "kind");
            }
            return None;
        };
        let (keys, needed) = kind.keys();
        let place = (keys, "这种渠道", "a channel of this kind");
        let inside = self.keys(&pair.value, name, place);
        for key in needed.iter().filter(|key| get(inside, key).is_none()) {
            self.missing(&pair.value, name, key);
        }
        // The address of a robot is all that is needed to speak with its voice.
        let mut secret = vec!["sign", "password"];
        if kind != ChannelKind::Webhook {
            secret.push("url");
        }
        let mut texts = Vec::new();
        for key in ["url", "sign", "keyword", "server", "user", "password", "from"] {
            let Some((pair, text)) = self.text(inside, key) else {
                continue;
            };
            match references_in(text) {
                Ok(references) if references.is_empty() && secret.contains(&key) => {
                    self.say(&words::SECRET_IN_CLEAR, &pair.value.span, &[("name", key)]);
                }
                Ok(_) => texts.push((key, text.to_owned())),
                // The text itself may be a secret that was written down.
                Err(_) => self.say(&words::BAD_REFERENCE, &pair.value.span, &[("text", "${…}")]),
            }
        }
        let security = self.word(inside, "security", &Security::ALL);
        Some(Written {
            name: name.clone(),
            kind,
            texts,
            mention: self.plain(inside, "mention"),
            to: self.plain(inside, "to"),
            security: security.unwrap_or(Security::Tls),
            plain_http: self.flag(inside, "allow_plain_http"),
            private_network: self.flag(inside, "private_network"),
        })
    }

    fn rule(&mut self, node: &Node, channels: &[&str], before: &[Rule]) -> Option<Rule> {
        let pairs = self.keys(node, "rules", RULE);
        let when = self.word(pairs, "when", &When::ALL);
        if get(pairs, "when").is_none() && node.map().is_some() {
            self.missing(node, "rules", "when");
        }
        let mut to = Vec::new();
        match self.texts(pairs, "channels") {
            Some(named) => {
                for (name, span) in named {
                    if !channels.contains(&name.as_str()) {
                        let near = did_you_mean(&name, channels.iter().copied());
                        self.say(
                            &words::BAD_WORD,
                            &span,
                            &[
                                ("key", "channels"),
                                ("value", &name),
                                ("allowed", &channels.join(" ")),
                            ],
                        );
                        if let Some(last) = self.problems.last_mut() {
                            last.similar = near;
                        }
                    }
                    to.push(name);
                }
            }
            None => to.extend(channels.iter().map(|name| (*name).to_owned())),
        }
        let usual = of_kind(when?);
        let name = match self.text(pairs, "name") {
            Some((_, name)) => name.to_owned(),
            None => usual.name.clone(),
        };
        // What is known of a cause is kept under the name of its rule.
        if before.iter().any(|rule| rule.name == name) {
            let span = get(pairs, "name").map_or(&node.span, |pair| &pair.value.span);
            self.say(
                &words::BAD_VALUE,
                span,
                &[
                    ("key", "name"),
                    ("want_zh", "其他规则没有用过的名称"),
                    ("want_en", "a name that no other rule has"),
                    ("value", &name),
                ],
            );
        }
        Some(Rule {
            name,
            above: self.count(pairs, "above").unwrap_or(usual.above),
            lasting: self.duration(pairs, "for", 60_000).unwrap_or(usual.lasting),
            times: self.count(pairs, "times").unwrap_or(usual.times).max(1),
            only: self.plain(pairs, "only"),
            channels: to,
            every: self.duration(pairs, "every", 60_000).unwrap_or(usual.every),
            data: self.flag(pairs, "data"),
            escalate: self.duration(pairs, "escalate", 60_000),
            ..usual
        })
    }
}

/// A rule as it is when only its kind is said.
fn of_kind(when: When) -> Rule {
    Rule {
        name: when.word().to_owned(),
        when,
        above: 0,
        lasting: match when {
            When::Credentials => 7 * 86_400_000,
            _ => 30 * 60_000,
        },
        times: 3,
        only: Vec::new(),
        channels: Vec::new(),
        every: 10 * 60_000,
        data: false,
        escalate: None,
    }
}

/// The rules of a file that names none: everything that needs a person, to every channel.
fn usual(channels: &[&str]) -> Vec<Rule> {
    let to = |when: When| Rule {
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
        ..of_kind(when)
    };
    When::ALL.iter().map(|(_, when)| to(*when)).collect()
}

fn get<'n>(pairs: &'n [Pair], key: &str) -> Option<&'n Pair> {
    pairs.iter().find(|pair| pair.key == key)
}

#[cfg(test)]
#[path = "tests/config.rs"]
mod tests;
