//! Two schemes that carry the same documents in opposite directions: whether they are a pair, and what of their rows and
//! documents the ledger compares.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use dsl::catalogue::Entry;
use dsl::catalogue::scheme as words;
use dsl::diagnostic::{Diagnostic, Lang, SourceFile, did_you_mean};
use dsl::facts::{Action, Environment, Proof};
use dsl::path::Path;
use dsl::plan::{Plan, TwoWayPlan};
use dsl::two_way::{self, Places};
use dsl::value::Value;
use flow::Stages;
use flow::ids::Ms;
use flow::op::{Facet, Paired, Reason};
use flow::timetable::Paused;
use ledger::two_way::{Conflict, NamedBy, TwoWay};
use ledger::{Ledger, StoreError};
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::error::AppError;
use crate::mapping::form_of;
use crate::reason::sentence;
use crate::run::{Engine, RunOptions, RunReport};
use crate::shell::Silent;
use crate::workspace::Workspace;

/// What of the rows of a scheme is compared.
#[derive(Debug, Clone)]
struct Compared {
    fields: Vec<Path>,
    /// Where the other scheme writes them.
    places: Places,
    /// The id by which the other scheme updates the row's document.
    own_id: Option<Path>,
    /// Rows can mean "cancelled".
    voids: bool,
}

/// A scheme and the one that carries the same documents the other way.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// That one.
    pub(crate) partner: Arc<Plan>,
    mine: Compared,
    theirs: Compared,
    /// How the ledger knows this direction, and the other.
    rules: [TwoWay; 2],
}

/// Why two schemes are no pair, in both languages.
type Why = (&'static str, &'static str);

impl Pair {
    /// The pair of a plan that says it is one of one; an error where it is not.
    pub(crate) fn of(workspace: &Workspace, plan: &Plan) -> Result<Option<Arc<Pair>>, AppError> {
        let Some(said) = &plan.two_way else {
            return Ok(None);
        };
        let partner = workspace.plan_of(&said.with);
        match partner.map(|partner| pair(plan, said, &partner)) {
            Some(Ok(mut pair)) => {
                pair.rules[0].form = form_of(workspace, plan);
                pair.rules[1].form = form_of(workspace, &pair.partner);
                Ok(Some(Arc::new(pair)))
            }
            // Both were checked before they came here.
            Some(Err((why, why_en))) => Err(AppError::wrong_use(why, why_en)),
            None => Err(AppError::wrong_use(
                format!("没有方案 {},或它有错误", said.with),
                format!("there is no scheme {}, or it is in error", said.with),
            )),
        }
    }

    /// What is compared of a row.
    pub(crate) fn row(&self, row: &Value, void: bool) -> Paired {
        let own_id = self.mine.own_id.as_ref().and_then(|path| path.get(row));
        Paired {
            own_id: own_id.and_then(Value::to_plain_text).filter(|id| !id.is_empty()),
            facets: facets(two_way::of_row(
                &self.mine.fields,
                row,
                self.mine.voids.then_some(void),
            )),
        }
    }

    /// What a document will say to the other scheme once it is written.
    pub(crate) fn document(&self, under: Option<&Path>, action: Action, document: &Value) -> Vec<Facet> {
        let void = |void| (two_way::VOID.to_owned(), two_way::hash_of_void(void));
        let mut said = match action {
            Action::Void => vec![void(true)],
            Action::Create | Action::Update | Action::Step => {
                two_way::of_document(under, &self.theirs.places, &self.theirs.fields, document)
            }
        };
        if action == Action::Create {
            said.push(void(false));
        }
        facets(said)
    }
}

fn facets(said: Vec<(String, u64)>) -> Vec<Facet> {
    said.into_iter()
        .map(|(field, hash)| Facet { field, hash })
        .collect()
}

fn pair(plan: &Plan, said: &TwoWayPlan, partner: &Arc<Plan>) -> Result<Pair, Why> {
    let Some(answer) = &partner.two_way else {
        return Err(("它没有写 two_way", "it says no two_way"));
    };
    let (Some(target), Some(their_target)) = (&plan.target, &partner.target) else {
        return Err(("其中一个不写任何单据", "one of them writes nothing"));
    };
    if plan.enabled && !partner.enabled {
        return Err((
            "它已停用(enabled: false):启用它,或删掉这里的 two_way",
            "it is switched off (enabled: false): switch it on, or take two_way away here",
        ));
    }
    if answer.with != plan.scheme {
        return Err(("它的 two_way 指向别的方案", "its two_way names another scheme"));
    }
    if plan.source.connection != their_target.connection || partner.source.connection != target.connection {
        return Err((
            "连接没有互相交换:一个的源要是另一个的目标",
            "the connections do not cross: the source of each must be the target of the other",
        ));
    }
    let conflict = |said: &TwoWayPlan| Conflict::from_word(&said.conflict).unwrap_or(Conflict::Hold);
    let (mine, other) = (conflict(said), conflict(answer));
    let fits = match mine {
        Conflict::Hold | Conflict::NewestWins => other == mine,
        Conflict::SourceWins => other == Conflict::TargetWins,
        Conflict::TargetWins => other == Conflict::SourceWins,
    };
    if !fits {
        return Err((
            "两边的 conflict 互相矛盾:hold 对 hold,newest_wins 对 newest_wins,source_wins 对 target_wins",
            "what they say of conflicts contradicts: hold answers hold, newest_wins newest_wins, source_wins target_wins",
        ));
    }
    let (my_rows, my_name) = compared(plan, said, partner);
    let (their_rows, their_name) = compared(partner, answer, plan);
    for (rows, writer) in [(&my_rows, partner), (&their_rows, &Arc::new(plan.clone()))] {
        let needs = writer
            .target
            .as_ref()
            .is_some_and(|target| target.update.is_some() && target.proof != Proof::Upsert);
        if needs && rows.own_id.is_none() {
            return Err((
                "其中一个方案的行没有另一个更新单据时要用的 id:写 two_way.id",
                "the rows of one of them have no id by which the other one updates: write two_way.id",
            ));
        }
    }
    let rules = |said: &TwoWayPlan, with: &Plan, plan: &Plan, named_by, rows: &Compared| TwoWay {
        partner: with.scheme.clone(),
        named_by,
        id_is_key: rows.own_id.as_ref() == plan.source.key.first(),
        conflict: conflict(said),
        filled: said.filled.iter().map(ToString::to_string).collect(),
        target: plan
            .target
            .as_ref()
            .map(|target| target.connection.clone())
            .unwrap_or_default(),
        form: None,
    };
    Ok(Pair {
        rules: [
            rules(said, partner, plan, my_name, &my_rows),
            rules(answer, plan, partner, their_name, &their_rows),
        ],
        partner: Arc::clone(partner),
        mine: my_rows,
        theirs: their_rows,
    })
}

/// What is compared of the rows of a plan, and how they name the documents that the other one wrote.
fn compared(plan: &Plan, said: &TwoWayPlan, writer: &Plan) -> (Compared, NamedBy) {
    let places = Places {
        asked: plan.source.fields.clone().unwrap_or_default(),
        named: said.named.clone(),
    };
    let written = writer.target.as_ref().and_then(|target| target.key.first());
    let key = plan.source.key.first();
    let is_key = key.is_some_and(|key| {
        let stands = two_way::stands_at(&places, key);
        written.is_some_and(|written| stands.contains(written))
    });
    let (named_by, default) = if is_key {
        (NamedBy::Key, None)
    } else {
        (NamedBy::Id, key.cloned())
    };
    let compared = Compared {
        fields: two_way::compared(&plan.source),
        places,
        own_id: said.id.clone().or(default),
        voids: plan.source.void.is_some() || plan.source.receive.is_some(),
    };
    (compared, named_by)
}

/// What is wrong with a pair, where a plan says that it is one of one.
pub(crate) fn problems(workspace: &Workspace, file: &Arc<SourceFile>, plan: &Plan) -> Vec<Diagnostic> {
    let Some(said) = &plan.two_way else {
        return Vec::new();
    };
    let node = dsl::yaml::read_all(file).node;
    let written = node
        .as_ref()
        .and_then(|node| node.get("two_way")?.value.get("with"));
    let span = written.map_or(0..0, |pair| pair.value.span.clone());
    let whole = node.as_ref().and_then(|node| node.get("two_way"));
    let whole = whole.map_or(0..0, |pair| pair.key_span.clone());
    let problem = |entry: &'static Entry| Diagnostic::new(entry, file, span.clone()).with("name", &said.with);
    let partner = workspace.plan_of(&said.with).filter(|_| said.with != plan.scheme);
    let Some(partner) = partner else {
        let near = match workspace.scheme(&said.with) {
            Ok(_) => Vec::new(),
            Err(near) => did_you_mean(&said.with, near.all.iter().map(String::as_str)),
        };
        return vec![problem(&words::TWO_WAY_UNKNOWN).similar(near)];
    };
    match pair(plan, said, &partner) {
        Ok(_) if makes_doubles(plan, said, &partner) => {
            vec![Diagnostic::new(&words::TWO_WAY_DOUBLES, file, whole).with("name", &plan.scheme)]
        }
        Ok(_) => Vec::new(),
        Err((why, why_en)) => vec![
            problem(&words::TWO_WAY_PAIR)
                .with("why", why)
                .with("why_en", why_en),
        ],
    }
}

/// Whether a plan may make a document that is at its target already, and nobody has said that there is none.
fn makes_doubles(plan: &Plan, said: &TwoWayPlan, partner: &Plan) -> bool {
    let is_linked = said.linked || partner.two_way.as_ref().is_some_and(|answer| answer.linked);
    let makes = plan.target.as_ref().is_some_and(|target| {
        target.create.is_some() && target.proof != Proof::Upsert && !target.find_before_create
    });
    makes && !is_linked
}

/// The plans, and those of the other directions among them.
pub(crate) fn with_partners(workspace: &Workspace, plans: &[Arc<Plan>]) -> Vec<Arc<Plan>> {
    let mut all = plans.to_vec();
    for plan in plans {
        let with = plan.two_way.as_ref().map(|said| &said.with);
        let partner = with
            .filter(|with| !all.iter().any(|known| known.scheme == **with))
            .and_then(|with| workspace.plan_of(with));
        all.extend(partner);
    }
    all
}

/// What the ledger is told of these plans.
pub(crate) struct Introduction(Vec<(String, Option<Arc<Pair>>)>);

impl Introduction {
    pub(crate) fn of(workspace: &Workspace, plans: &[Arc<Plan>]) -> Introduction {
        let pair = |plan: &Arc<Plan>| match Pair::of(workspace, plan) {
            Ok(pair) => Some((plan.scheme.clone(), pair)),
            // What is wrong with a pair is told by the run. Until it is put right, what is known of it stays.
            Err(_) => None,
        };
        Introduction(plans.iter().filter_map(pair).collect())
    }

    pub(crate) fn make(&self, ledger: &mut Ledger) -> Result<(), StoreError> {
        for (scheme, pair) in &self.0 {
            match pair {
                Some(pair) => {
                    let [mine, theirs] = &pair.rules;
                    ledger.pair((scheme, mine), (&pair.partner.scheme, theirs))?;
                }
                None => ledger.unpair(scheme)?,
            }
        }
        Ok(())
    }
}

/// When schemes read for the other one of their pair, while this process runs: runs that write a little every few
/// seconds, as pushes make them, do not ask the source of the other direction each time. One entry a scheme of a pair.
#[derive(Debug, Default)]
pub(crate) struct PartnerReadings(Mutex<BTreeMap<String, Ms>>);

impl PartnerReadings {
    pub(crate) fn of(&self, scheme: &str) -> Option<Ms> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(scheme)
            .copied()
    }

    fn note(&self, scheme: &str, now: Ms) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(scheme.to_owned(), now);
    }
}

/// Lets the other scheme read.
pub(crate) struct PartnerReads<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) plan: Arc<Plan>,
    pub(crate) options: RunOptions,
}

impl<'a> PartnerReads<'a> {
    pub(crate) fn new(engine: &'a Engine, pair: &Pair, options: &RunOptions) -> Self {
        PartnerReads {
            engine,
            plan: Arc::clone(&pair.partner),
            options: options_of_partner(options),
        }
    }

    /// A run that only reads. `Some` = it did not come to its end, for this reason. Whoever paused a scheme wants its
    /// systems left alone: it does not read for another one either.
    pub(crate) async fn read(&self) -> Result<Option<Reason>, AppError> {
        if let Some(paused) = self.engine.reader().paused(&self.plan.scheme)? {
            return Ok(Some(is_paused(&self.plan.scheme, &paused, self.options.lang)));
        }
        let begun = self.engine.now_ms();
        let report = self.run().await?;
        let stopped = report.summary.stopped.as_ref().map(flow::reason_of);
        let left = (report.summary.windows_left > 0).then(|| {
            let nothing_said = Reason::new(dsl::catalogue::reading::SOURCE_FAULT.code, "");
            report.left.clone().unwrap_or(nothing_said)
        });
        let why = stopped.or(left);
        if why.is_none() && !self.options.dry {
            self.engine.partner_readings.note(&self.plan.scheme, begun);
        }
        Ok(why.map(|reason| not_read(&self.plan.scheme, &reason, self.options.lang)))
    }

    /// A run within a run: its type must have an end. Whoever follows the run around it is told nothing, or would take
    /// the number of this one for its own.
    fn run(&self) -> Pin<Box<dyn Future<Output = Result<RunReport, AppError>> + Send + '_>> {
        let span = tracing::info_span!("partner", scheme = self.plan.scheme, run = Empty);
        let run = self
            .engine
            .pass(Arc::clone(&self.plan), &self.options, &Silent, true);
        Box::pin(run.instrument(span))
    }
}

/// Bounds and limits are meant for the scheme that was named, and who said that it may write has not seen the numbers of
/// the other one.
fn options_of_partner(options: &RunOptions) -> RunOptions {
    RunOptions {
        window: None,
        from: None,
        replay: None,
        limit: None,
        stages: Stages::Fetch,
        confirmed: false,
        ..options.clone()
    }
}

/// A reason of its own: what stopped the other scheme (its brake, say) is that one's to be released.
fn not_read(scheme: &str, reason: &Reason, lang: Lang) -> Reason {
    let why = sentence(reason, lang);
    let code = dsl::catalogue::reading::PARTNER_NOT_READ.code;
    Reason::new(code, format!("{scheme} {}: {why}", reason.code))
}

/// The partner reads nothing until somebody lets it go on.
fn is_paused(scheme: &str, paused: &Paused, lang: Lang) -> Reason {
    let why = sentence(&paused.reason, lang);
    let said = match lang {
        Lang::Zh => format!("{scheme} 已被 {} 暂停:{why}", paused.by),
        Lang::En => format!("{scheme} was paused by {}: {why}", paused.by),
    };
    Reason::new(dsl::catalogue::reading::PARTNER_NOT_READ.code, said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brake_of_a_partner_is_its_own() {
        let braked = Reason::new(flow::codes::UNUSUAL_CHANGE, "5000 > 100");
        let told = not_read("b-to-a", &braked, Lang::En);
        assert!(!flow::brake::asks(&told.code), "nobody releases it here");
        let said = sentence(&told, Lang::En);
        assert!(
            said.contains("b-to-a E3082: far more new") && said.contains("(5000 > 100)"),
            "{said}"
        );
    }

    #[test]
    fn what_is_said_of_a_scheme_is_not_said_of_its_partner() {
        let of_partner = options_of_partner(&RunOptions {
            now: Some(1),
            window: None,
            from: None,
            replay: None,
            limit: Some(5),
            settle_wait: None,
            stages: Stages::All,
            dry: true,
            lang: Lang::En,
            trigger: None,
            confirmed: true,
            cancel: None,
        });
        assert!(!of_partner.confirmed, "nobody has seen its numbers");
        assert_eq!((of_partner.limit, of_partner.stages), (None, Stages::Fetch));
        assert_eq!((of_partner.now, of_partner.dry), (Some(1), true));
    }
}
