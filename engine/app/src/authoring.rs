//! The first lines of an author: an entry of connections.yaml, and a scheme to go on from.
//!
//! What is there already is never replaced: an entry is added behind the others, byte for byte, and a file that exists
//! is refused. What was written is loaded before it is kept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::{Connector, NoSecrets, Samples, connections};
use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::facts::{Action, ConnectorFacts, OpKind, OperationFacts, Proof};
use dsl::yaml;
use dsl::{Map, Value};

use crate::error::AppError;
use crate::templates::{self, Template};
use crate::testing;
use crate::workspace::{Places, Workspace, find_connections, parent, read};
use crate::{files, samples, systems};

/// An entry that was added.
#[derive(Debug, Clone)]
pub struct Added {
    /// The connections file.
    pub path: PathBuf,
    /// Whether it was made.
    pub created: bool,
    /// The lines that were added.
    pub entry: String,
    /// References to secrets in it, as they are written.
    pub references: Vec<String>,
}

/// What begins a connections file.
const HEAD: &str = "# Which systems, and with whose credentials. Secrets are references: ${env:NAME} or ${secret:name}.\n\
                    connections:\n";

/// Adds an entry to the connections file, which is made when there is none.
pub fn add_connection(
    around: &Path,
    places: &Places,
    name: &str,
    connector: &str,
    params: &[(String, String)],
) -> Result<Added, AppError> {
    let found = find_connections(around, places.connections.as_deref())?;
    add(found, around, places, (name, connector), params)
}

fn add(
    found: Option<PathBuf>,
    around: &Path,
    places: &Places,
    (name, connector): (&str, &str),
    params: &[(String, String)],
) -> Result<Added, AppError> {
    let registry = functions::registry();
    let path = found.clone().unwrap_or_else(|| around.join("connections.yaml"));
    let known = systems::connectors(Some(parent(&path)), &registry)?;
    let connector = find(&known, connector)?;
    typed_right(connector, params)?;
    let entry = connector.entry(name, params);
    let text = match &found {
        None => format!("{HEAD}{entry}"),
        Some(path) => {
            let file = read(path)?;
            connections::load(&file, &known, &registry).map_err(AppError::Invalid)?;
            behind(&file, name, &entry)?
        }
    };
    let file = SourceFile::new(path.display().to_string(), text.as_str());
    let loaded = connections::load(&file, &known, &registry).map_err(AppError::Invalid)?;
    let env = places.env.as_deref().unwrap_or(connections::DEFAULT_ENV);
    let problems: Vec<Diagnostic> = loaded
        .check(name, env)
        .into_iter()
        .filter(Diagnostic::is_error)
        .collect();
    if !problems.is_empty() {
        return Err(AppError::Invalid(problems));
    }
    let references = loaded.open_references(name, env, &NoSecrets);
    std::fs::create_dir_all(parent(&path)).map_err(|error| not_written(parent(&path), &error))?;
    files::replace(&path, text.as_bytes())?;
    Ok(Added {
        path,
        created: found.is_none(),
        entry,
        references: references.into_iter().map(|(_, reference)| reference).collect(),
    })
}

fn not_written(path: &Path, error: &std::io::Error) -> AppError {
    AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    }
}

fn find<'c>(known: &'c [Arc<Connector>], id: &str) -> Result<&'c Arc<Connector>, AppError> {
    known
        .iter()
        .find(|connector| connector.id() == id)
        .ok_or_else(|| {
            let all: Vec<&str> = known.iter().map(|connector| connector.id()).collect();
            AppError::no_such(("连接器", "connector"), id, &all)
        })
}

/// Parameters that there are, and no secret in clear text: not even for the moment until the file is checked.
fn typed_right(connector: &Connector, params: &[(String, String)]) -> Result<(), AppError> {
    for (name, text) in params {
        let Some(param) = connector.params().iter().find(|param| param.name == *name) else {
            let all: Vec<&str> = connector
                .params()
                .iter()
                .map(|param| param.name.as_str())
                .collect();
            return Err(AppError::no_such(("参数", "parameter"), name, &all));
        };
        let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let is_reference = inside.is_some_and(|name| !name.contains(['{', '}', '$']));
        if param.secret && !is_reference {
            return Err(AppError::wrong_use(
                format!("`{name}` 是密钥:写引用,例如 --param '{name}=${{secret:{name}}}'"),
                format!(
                    "`{name}` is a secret: write a reference, such as --param '{name}=${{secret:{name}}}'"
                ),
            ));
        }
    }
    Ok(())
}

/// The file with an entry behind its others.
fn behind(file: &Arc<SourceFile>, name: &str, entry: &str) -> Result<String, AppError> {
    let text = &file.text;
    let by_hand = || {
        AppError::wrong_use(
            format!("{} 的 connections 不是按行写的,请手工加入:\n{entry}", file.name),
            format!(
                "connections of {} is not written in lines; add by hand:\n{entry}",
                file.name
            ),
        )
    };
    let root = yaml::read(file).map_err(AppError::Invalid)?;
    let node = &root.get("connections").ok_or_else(by_hand)?.value;
    let pairs = node.map().ok_or_else(by_hand)?;
    if pairs.iter().any(|pair| pair.key == name) {
        return Err(AppError::wrong_use(
            format!("{} 里已有连接 `{name}`", file.name),
            format!("{} has a connection `{name}` already", file.name),
        ));
    }
    let (Some(first), Some(last), false) = (pairs.first(), pairs.last(), node.is_flow_in(text)) else {
        return Err(by_hand());
    };
    // What an alias stands for is written elsewhere: where the entry ends cannot be told.
    if last.value.is_partly_before(last.key_span.start) {
        return Err(by_hand());
    }
    let ends = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let begin = text[..first.key_span.start].rfind('\n').map_or(0, |end| end + 1);
    let indent = first.key_span.start - begin;
    let lines: Vec<String> = entry
        .lines()
        .map(|line| {
            format!(
                "{}{}",
                " ".repeat(indent),
                line.strip_prefix("  ").unwrap_or(line)
            )
        })
        .collect();
    let end = last_line(text, node.end_in(text), indent);
    let (before, after) = text.split_at(end);
    let before = before.strip_suffix('\r').unwrap_or(before);
    let after = if after.is_empty() { ends } else { after };
    let after = if after.starts_with('\n') && ends == "\r\n" {
        format!("\r{after}")
    } else {
        after.to_owned()
    };
    let new = format!("{before}{ends}{ends}{}{after}", lines.join(ends));
    // The other entries must read as they did, and not only be readable.
    let again = yaml::read(&SourceFile::new(&file.name, new.as_str())).ok();
    let same = again
        .as_ref()
        .and_then(|root| root.get("connections"))
        .is_some_and(|now| {
            pairs.iter().all(|pair| {
                let found = now.value.get(&pair.key);
                found.is_some_and(|found| found.value.plain_value() == pair.value.plain_value())
            })
        });
    match same {
        true => Ok(new),
        false => Err(by_hand()),
    }
}

/// The end of the last line that belongs to an entry: the one in which it ends, and comments behind it that are
/// indented further than its name.
fn last_line(text: &str, end: usize, indent: usize) -> usize {
    let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |line| from + line);
    let mut end = line_end(end);
    let mut next = end;
    while next < text.len() {
        let line = &text[next + 1..line_end(next + 1)];
        let inside = line.trim_start();
        next += 1 + line.len();
        if inside.starts_with('#') && line.len() - inside.len() > indent {
            end = next;
        } else if !inside.trim().is_empty() {
            break;
        }
    }
    end
}

/// What a first scheme is made of.
#[derive(Debug, Clone, Default)]
pub struct Beginning {
    /// Connector of the source.
    pub source: String,
    /// Its operation; the first one that reads when nothing is said.
    pub api: Option<String>,
    /// Connector of the target; rows are only stored when there is none.
    pub target: Option<String>,
    /// Id of the scheme.
    pub scheme: Option<String>,
}

/// What was begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The scheme's file.
    pub scheme: PathBuf,
    /// The files of further schemes, where a template has several.
    pub further: Vec<PathBuf>,
    /// The connections file.
    pub connections: PathBuf,
    /// Names of connections that were added to it.
    pub added: Vec<String>,
    /// References to secrets, as they are written.
    pub references: Vec<String>,
    /// Connection and operation, where nothing is known of the rows yet.
    pub unknown: Option<(String, String)>,
    /// What `check` still says about the scheme.
    pub problems: Vec<Diagnostic>,
}

/// Writes a first scheme between two systems, with the entries of connections.yaml it needs.
pub fn begin(folder: &Path, places: &Places, beginning: &Beginning) -> Result<Begun, AppError> {
    let registry = functions::registry();
    let known = systems::connectors(Some(folder), &registry)?;
    let source = find(&known, &beginning.source)?;
    let target = beginning
        .target
        .as_deref()
        .map(|id| find(&known, id))
        .transpose()?;
    let samples = samples::of_connection(folder, source.id(), &mut Vec::new());
    let (text, unknown) = scheme(source, target, beginning, samples)?;
    let id = id_of(beginning);
    if !is_id(&id) {
        return Err(no_id(&id));
    }
    let path = folder.join("schemes").join(format!("{id}.yaml"));
    if path.exists() {
        return Err(AppError::wrong_use(
            format!("{} 已存在;用 --scheme 换一个名称", path.display()),
            format!(
                "{} is there already; choose another name with --scheme",
                path.display()
            ),
        ));
    }
    let mut begun = Begun {
        scheme: path.clone(),
        further: Vec::new(),
        connections: folder.join("connections.yaml"),
        added: Vec::new(),
        references: Vec::new(),
        unknown,
        problems: Vec::new(),
    };
    for id in std::iter::once(&beginning.source).chain(&beginning.target) {
        connect(&mut begun, folder, places, (id, id))?;
    }
    samples::write(&path, &text)?;
    // The document that is expected is the one it makes now.
    let tested = testing::test(std::slice::from_ref(&path), None, true, places)?;
    begun.problems = tested.diagnostics;
    if begun.problems.is_empty() {
        let mut workspace = Workspace::load(&path, places.clone(), None, Box::new(NoSecrets))?;
        workspace.look_at_samples();
        begun.problems = workspace.check(&read(&path)?).1;
    }
    Ok(begun)
}

/// Adds a connection that is not there yet, to those of the folder itself: what stands above it belongs to another
/// project.
fn connect(
    begun: &mut Begun,
    folder: &Path,
    places: &Places,
    (name, connector): (&str, &str),
) -> Result<(), AppError> {
    let registry = functions::registry();
    let known = systems::connectors(Some(folder), &registry)?;
    let own = places
        .connections
        .clone()
        .unwrap_or_else(|| begun.connections.clone());
    let found = own.is_file().then_some(own);
    let loaded = found
        .as_deref()
        .map(read)
        .transpose()?
        .map(|file| connections::load(&file, &known, &registry).map_err(AppError::Invalid))
        .transpose()?;
    if loaded.is_some_and(|loaded| loaded.names().any(|one| one == name)) {
        return Ok(());
    }
    let added = add(found, folder, places, (name, connector), &[])?;
    begun.connections = added.path;
    begun.added.push(name.to_owned());
    begun.references.extend(added.references);
    Ok(())
}

/// Writes the schemes of a template, with the entries of connections.yaml they need.
pub fn from_template(
    folder: &Path,
    places: &Places,
    name: &str,
    scheme: Option<&str>,
) -> Result<Begun, AppError> {
    let template = templates::find(name)?;
    let schemes = texts(&template, scheme)?;
    let path = |id: &str| folder.join("schemes").join(format!("{id}.yaml"));
    for (id, _) in &schemes {
        let path = path(id);
        if path.exists() {
            return Err(AppError::wrong_use(
                format!("{} 已存在;用 --scheme 换一个名称,或换一个文件夹", path.display()),
                format!(
                    "{} is there already; choose another name with --scheme, or another folder",
                    path.display()
                ),
            ));
        }
    }
    let mut paths = schemes.iter().map(|(id, _)| path(id));
    let mut begun = Begun {
        scheme: paths.next().unwrap_or_default(),
        further: paths.collect(),
        connections: folder.join("connections.yaml"),
        added: Vec::new(),
        references: Vec::new(),
        unknown: None,
        problems: Vec::new(),
    };
    for (name, connector) in &template.connections {
        connect(&mut begun, folder, places, (name, connector))?;
    }
    for (id, text) in &schemes {
        samples::write(&path(id), text)?;
    }
    let all: Vec<&PathBuf> = std::iter::once(&begun.scheme).chain(&begun.further).collect();
    let mut problems = Vec::new();
    for one in all {
        let workspace = Workspace::load(one, places.clone(), None, Box::new(NoSecrets))?;
        problems.extend(workspace.check(&read(one)?).1);
    }
    begun.problems = problems;
    Ok(begun)
}

/// The ids and texts of a template's schemes. A pair names each other: only one that is alone may be called otherwise.
fn texts(template: &Template, scheme: Option<&str>) -> Result<Vec<(String, String)>, AppError> {
    let id_in = |text: &str| {
        let file = SourceFile::new(template.name.as_str(), text);
        let node = yaml::read(&file).map_err(AppError::Invalid)?;
        let id = node
            .get("scheme")
            .and_then(|pair| pair.value.text())
            .map(str::to_owned);
        id.ok_or_else(|| AppError::bug(format!("the template {} has no id", template.name)))
    };
    let Some(id) = scheme else {
        return template
            .schemes
            .iter()
            .map(|text| Ok((id_in(text)?, (*text).to_owned())))
            .collect();
    };
    if !is_id(id) {
        return Err(no_id(id));
    }
    let [text] = template.schemes.as_slice() else {
        let all: Vec<String> = template
            .schemes
            .iter()
            .map(|text| id_in(text))
            .collect::<Result<_, _>>()?;
        let (name, all) = (&template.name, all.join(" "));
        return Err(AppError::wrong_use(
            format!("模板 `{name}` 有几个方案({all}),它们互相指名,不能改名;不要写 --scheme"),
            format!(
                "the template `{name}` has several schemes ({all}), which name each other: leave --scheme out"
            ),
        ));
    };
    let file = SourceFile::new(template.name.as_str(), *text);
    let text = dsl::edit::set(&file, "scheme", &Value::from(id))
        .map_err(|_| AppError::bug(format!("the template {} has no id", template.name)))?;
    Ok(vec![(id.to_owned(), text)])
}

fn no_id(id: &str) -> AppError {
    AppError::wrong_use(
        format!("`{id}` 不能作方案的 id:小写字母、数字、连字符,最多 64 个"),
        format!("`{id}` cannot be the id of a scheme: small letters, digits and hyphens, at most 64"),
    )
}

fn is_id(id: &str) -> bool {
    let fine = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    id.len() <= 64 && id.chars().all(fine) && !id.starts_with('-') && !id.is_empty()
}

fn id_of(beginning: &Beginning) -> String {
    let short = |id: &str| id.split('-').next().unwrap_or(id).to_owned();
    beginning
        .scheme
        .clone()
        .unwrap_or_else(|| match &beginning.target {
            Some(target) => format!("{}-to-{}", short(&beginning.source), short(target)),
            None => format!("{}-rows", short(&beginning.source)),
        })
}

/// The text of a first scheme.
fn scheme(
    source: &Arc<Connector>,
    target: Option<&Arc<Connector>>,
    beginning: &Beginning,
    samples: Samples,
) -> Result<(String, Unknown), AppError> {
    let facts = facts_of(source, samples)?;
    let operation = reads(source, facts.as_ref(), beginning.api.as_deref())?;
    let others: Vec<&str> = source
        .operations()
        .filter(|(name, kind, _)| *kind == OpKind::Read && *name != operation.name)
        .map(|(name, ..)| name)
        .collect();
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(words.trim_end());
        text.push('\n');
    };
    line(format!("scheme: {}", id_of(beginning)));
    line(String::new());
    line("source:".to_owned());
    line(format!("  connection: {}", source.id()));
    let more = match others.is_empty() {
        true => String::new(),
        false => format!("  # others: {}", others.join(" ")),
    };
    line(format!("  api: {}{more}", operation.name));
    open_options(&operation).into_iter().for_each(&mut line);
    let key = key_of(&operation);
    if operation.fields_required {
        line(format!("  fields: [{key}]                # all that is read"));
    }
    if operation.filter_required {
        let field = operation
            .filter_fields
            .first()
            .map_or(key.as_str(), String::as_str);
        line(format!(
            "  filter: {{field: {field}, eq: '1'}}   # what is asked for"
        ));
    }
    line(match (operation.uses_window, operation.window_by_field) {
        (false, _) => "  window: none                  # everything each time".to_owned(),
        (true, false) => "  window: {first: -1d}          # how far back the first run reads".to_owned(),
        (true, true) => {
            "  window: {field: modified, first: -1d}   # the time field that grows with every change"
                .to_owned()
        }
    });
    let unsure = match singles(&operation).is_empty() {
        false => "",
        true => "; a guess: nothing is known of the rows yet",
    };
    line(format!(
        "  key: {key}                    # what makes two rows the same record{unsure}"
    ));
    line(String::new());
    let fields = singles(&operation);
    match target {
        None => {
            line("target: none                    # stored only, for look-ups of other schemes".to_owned())
        }
        Some(target) => {
            for words in target_lines(target, &key, &fields)? {
                line(words);
            }
        }
    }
    line(String::new());
    let least = facts.min_interval_ms().max(60_000) / 60_000;
    line(format!("schedule: {{every: {}m}}", least.max(6)));
    if !operation.samples.as_deref().unwrap_or_default().is_empty() {
        line(String::new());
        line("tests:".to_owned());
        line("  - name: the first row of the sample".to_owned());
        line("    sample: 0".to_owned());
        line("    expect: {}".to_owned());
    }
    let unknown = singles(&operation).is_empty() && !operation.fields_required && !operation.filter_required;
    let unknown = unknown.then(|| (source.id().to_owned(), operation.name.clone()));
    Ok((text, unknown))
}

/// What a sample would be taken of: connection and operation.
type Unknown = Option<(String, String)>;

fn facts_of(connector: &Arc<Connector>, samples: Samples) -> Result<Arc<dyn ConnectorFacts>, AppError> {
    connector.facts_with(samples).ok_or_else(|| {
        let id = connector.id();
        AppError::wrong_use(
            format!("无法为 `{id}` 推出示例参数;先用 engine connection add"),
            format!("no example parameters can be made up for `{id}`; begin with engine connection add"),
        )
    })
}

fn reads(
    connector: &Arc<Connector>,
    facts: &dyn ConnectorFacts,
    api: Option<&str>,
) -> Result<Arc<OperationFacts>, AppError> {
    let all: Vec<&str> = connector
        .operations()
        .filter(|(_, kind, _)| *kind == OpKind::Read)
        .map(|(name, ..)| name)
        .collect();
    // One that can be called as it is comes first, and of these one whose rows are known.
    let simple = |name: &&&str| {
        facts.operation(name).is_ok_and(|operation| {
            open_options(&operation).is_empty()
                && !operation.fields_required
                && !operation.filter_required
                && !operation.window_by_field
        })
    };
    let known =
        |name: &&&str| simple(name) && facts.operation(name).is_ok_and(|one| !singles(&one).is_empty());
    let name = match api {
        Some(api) => api,
        None => all
            .iter()
            .find(known)
            .or_else(|| all.iter().find(simple))
            .or(all.first())
            .copied()
            .ok_or_else(|| {
                let id = connector.id();
                AppError::wrong_use(
                    format!("`{id}` 没有读取操作"),
                    format!("nothing can be read from `{id}`"),
                )
            })?,
    };
    let found = facts.operation(name).ok();
    found
        .filter(|operation| operation.kind == OpKind::Read)
        .ok_or_else(|| AppError::no_such(("读取操作", "operation that reads"), name, &all))
}

/// Options that have no default, as comments to be completed: a made-up value would pass the check and be refused, or
/// taken, by the other system.
fn open_options(operation: &OperationFacts) -> Vec<String> {
    let open = operation
        .options
        .iter()
        .filter(|option| option.required && option.default.is_none() && option.constant.is_none());
    let mut lines: Vec<String> = open
        .map(|option| {
            let label = match option.label.en.as_str() {
                "" => String::new(),
                label => format!("; {label}"),
            };
            let of = option.of.join(" | ");
            let kind = if of.is_empty() { &option.ty } else { &of };
            format!("  #   {}: …                   # {kind}{label}", option.name)
        })
        .collect();
    if !lines.is_empty() {
        lines.insert(
            0,
            "  # options:                      # to be completed: what these are is not known".to_owned(),
        );
    }
    lines
}

/// Fields that hold one value, at the top of a row.
fn singles(operation: &OperationFacts) -> Vec<String> {
    let columns = operation.columns.as_deref().unwrap_or_default();
    let own = operation.samples.iter().flatten().filter(|sample| sample.own);
    let mut all = dsl::tree::Columns::default();
    own.flat_map(|sample| &sample.rows)
        .for_each(|row| all.add_row(row));
    let mut names: Vec<String> = columns.to_vec();
    names.extend(all.texts());
    // Those that can be written without quotes, in YAML and between `<<` and `>>`.
    let plain = |name: &String| {
        name.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && name.chars().all(|char| char.is_alphanumeric() || char == '_')
    };
    names.retain(plain);
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The field that looks most like an identity: its name says so, and no two rows of the sample share it.
fn key_of(operation: &OperationFacts) -> String {
    let fields = singles(operation);
    let samples = operation.samples.iter().flatten().take(1);
    let differs = |name: &str| {
        let rows: Vec<&Value> = samples.clone().flat_map(|sample| &sample.rows).collect();
        let texts = rows.iter().filter_map(|row| row.get(name)?.to_plain_text());
        texts.collect::<BTreeSet<String>>().len() == rows.len()
    };
    let ends = |name: &str| {
        let name = name.to_lowercase();
        ["id", "_id", "no", "_no", "code", "number", "cid"]
            .iter()
            .any(|end| name == *end || name.ends_with(end))
    };
    let named = fields.iter().find(|name| ends(name) && differs(name));
    let any = fields.iter().find(|name| differs(name));
    named.or(any).cloned().unwrap_or_else(|| "id".to_owned())
}

fn target_lines(target: &Arc<Connector>, key: &str, fields: &[String]) -> Result<Vec<String>, AppError> {
    let facts = facts_of(target, Samples::new())?;
    let creates = |name: &&str| {
        facts
            .operation(name)
            .is_ok_and(|operation| operation.writes.contains(&Action::Create))
    };
    let writes: Vec<&str> = target
        .operations()
        .filter(|(_, kind, _)| *kind == OpKind::Write)
        .map(|(name, ..)| name)
        .filter(|name| creates(name))
        .collect();
    let Some(api) = writes.first() else {
        let id = target.id();
        return Err(AppError::wrong_use(
            format!("`{id}` 没有新建操作"),
            format!("nothing can be created at `{id}`"),
        ));
    };
    let operation = facts
        .operation(api)
        .map_err(|_| AppError::bug("an operation that was listed"))?;
    // Without a value for them: what every kind of document has.
    let options = Map::new();
    let keys = (operation.keys)(&options);
    let mut lines = vec!["target:".to_owned(), format!("  connection: {}", target.id())];
    let more = match writes.len() {
        1 => String::new(),
        _ => format!("  # others: {}", writes[1..].join(" ")),
    };
    lines.push(format!("  api: {api}{more}"));
    lines.extend(open_options(&operation));
    let under = operation.key_under.as_ref().map(ToString::to_string);
    if keys.is_empty() {
        lines.push(format!(
            "  key: {key}                    # which document it is, at the target"
        ));
    }
    if (operation.proof)(&options) == Proof::None || operation.proof_needs.is_some() {
        lines
            .push("  on_unknown: hold              # nothing proves what became of a lost answer".to_owned());
    }
    lines.push("  request:                      # field of the target: field of the source".to_owned());
    let (indent, names) = match &under {
        Some(under) => {
            lines.push(format!("    {under}:"));
            ("      ", keys)
        }
        None => ("    ", keys),
    };
    if names.is_empty() {
        lines.push(format!("{indent}{key}: <<{key}>>"));
    }
    for name in &names {
        lines.push(format!("{indent}{name}: <<{key}>>"));
    }
    for field in fields.iter().filter(|field| *field != key) {
        lines.push(format!("{indent}# {field}: <<{field}>>"));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// A connections file after an entry was added.
    fn after(text: &str, params: &[(&str, &str)]) -> String {
        let base = tempfile::tempdir().expect("a folder");
        let path = base.path().join("connections.yaml");
        if !text.is_empty() {
            std::fs::write(&path, text).expect("a file");
        }
        let params: Vec<(String, String)> = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let added = add_connection(base.path(), &Places::default(), "new", "netease-huke", &params);
        let now = std::fs::read_to_string(&path).unwrap_or_default();
        match added {
            Ok(added) => format!(
                "{}references {}\n",
                now.replace('\r', "␍"),
                added.references.join(" ")
            ),
            Err(error) => {
                assert_eq!(now, text, "an error changes nothing");
                format!(
                    "{}\n",
                    error
                        .message(dsl::Lang::En)
                        .replace(&base.path().display().to_string(), "")
                )
            }
        }
    }

    fn becomes(text: &str, params: &[(&str, &str)], expected: Expect) {
        expected.assert_eq(&after(text, params));
    }

    const OLD: &str = "connections:\n    old:   # ours\n        connector: netease-huke\n        params: {key: a, secret: '${env:S}'}  # both\n        # more to come\n\n    # of the file\n# the end\n";

    #[test]
    fn an_entry_is_added_behind_the_others_and_nothing_else_changes() {
        becomes(
            "",
            &[],
            expect![[r##"
            # Which systems, and with whose credentials. Secrets are references: ${env:NAME} or ${secret:name}.
            connections:
              new:
                connector: netease-huke
                params:
                  key: "${env:NEW_KEY}"
                  secret: "${secret:new}"
            references ${env:NEW_KEY} ${secret:new}
        "##]],
        );
        becomes(
            OLD,
            &[("key", "a \"b\""), ("secret", "${env:X}")],
            expect![[r#"
                connections:
                    old:   # ours
                        connector: netease-huke
                        params: {key: a, secret: '${env:S}'}  # both
                        # more to come

                    new:
                      connector: netease-huke
                      params:
                        key: "a \"b\""
                        secret: "${env:X}"

                    # of the file
                # the end
                references ${env:X}
            "#]],
        );
        becomes(
            OLD.trim_end(),
            &[],
            expect![[r#"
            connections:
                old:   # ours
                    connector: netease-huke
                    params: {key: a, secret: '${env:S}'}  # both
                    # more to come

                new:
                  connector: netease-huke
                  params:
                    key: "${env:NEW_KEY}"
                    secret: "${secret:new}"

                # of the file
            # the endreferences ${env:NEW_KEY} ${secret:new}
        "#]],
        );
        let crlf =
            "connections:\r\n  old: {connector: netease-huke, params: {key: a, secret: '${env:S}'}}\r\n";
        becomes(
            crlf,
            &[],
            expect![[r#"
            connections:␍
              old: {connector: netease-huke, params: {key: a, secret: '${env:S}'}}␍
            ␍
              new:␍
                connector: netease-huke␍
                params:␍
                  key: "${env:NEW_KEY}"␍
                  secret: "${secret:new}"␍
            references ${env:NEW_KEY} ${secret:new}
        "#]],
        );
    }

    #[test]
    fn what_cannot_be_added_leaves_the_file_alone() {
        becomes(
            OLD,
            &[("secret", "in clear")],
            expect![[r#"
            `secret` is a secret: write a reference, such as --param 'secret=${secret:secret}'
        "#]],
        );
        becomes(
            OLD,
            &[("sceret", "${env:X}")],
            expect![[r#"
            there is no parameter `sceret`; there are server, key, secret, ok_code, rows_at, total_at; did you mean secret?
        "#]],
        );
        becomes(
            OLD,
            &[("secret", "${env:A}clear${env:B}")],
            expect![[r#"
            `secret` is a secret: write a reference, such as --param 'secret=${secret:secret}'
        "#]],
        );
        let alias = "connections:\n  a:\n    params: &p\n      key: a\n      secret: '${env:S}'\n    connector: netease-huke\n    sandbox: true\n  b:\n    connector: netease-huke\n    params: *p\n";
        becomes(
            alias,
            &[],
            expect![[r#"
            connections of /connections.yaml is not written in lines; add by hand:
              new:
                connector: netease-huke
                params:
                  key: "${env:NEW_KEY}"
                  secret: "${secret:new}"

        "#]],
        );
        becomes(
            &OLD.replace("old:", "new:"),
            &[],
            expect![[r#"
            /connections.yaml has a connection `new` already
        "#]],
        );
        becomes(
            "connections: {}\n",
            &[],
            expect![[r#"
            connections of /connections.yaml is not written in lines; add by hand:
              new:
                connector: netease-huke
                params:
                  key: "${env:NEW_KEY}"
                  secret: "${secret:new}"

        "#]],
        );
        becomes(
            &OLD.replace("params", "parms"),
            &[],
            expect![[r#"
            there is 1 error in the files
        "#]],
        );
    }
}
