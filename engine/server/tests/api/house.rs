//! A service and its server, and how tests talk to them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::service::{Service, Setting, TURN};
use app::{Opening, Places, SecretTable, Silent, Simulators, SystemClock, Workspace};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use dsl::Lang;
use http_body_util::BodyExt;
use server::access::{Scope, Scopes, hash_password, new_token};
use server::{Settings, State};
use tower::ServiceExt;

/// A secret of a connection: it may be in no answer.
pub(crate) const PASSWORD: &str = "canary-correct-horse";

pub(crate) struct House {
    pub(crate) service: Arc<Service>,
    pub(crate) state: State,
    pub(crate) router: Router,
    pub(crate) folder: PathBuf,
    pub(crate) tokens: Vec<(Scope, String)>,
    pub(crate) secrets: Vec<String>,
    pub(crate) simulated: sandbox::Running,
    _dir: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Refused with this code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) {
        let answer = self.is(status);
        assert_eq!(answer.json()["code"], code, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(
            answer.json()["request_id"]
                .as_str()
                .is_some_and(|id| id.len() == 16)
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a scheme of a service once, at this instant.
pub(crate) async fn run_once(service: &Service, scheme: &str, stages: flow::Stages, now: i64) {
    let loaded = service.loaded();
    let plan = Arc::clone(loaded.fleet.get(scheme).unwrap().plan().unwrap());
    let options = app::RunOptions {
        now: Some(now),
        window: None,
        from: None,
        replay: None,
        limit: None,
        settle_wait: None,
        stages,
        dry: false,
        lang: Lang::En,
        trigger: None,
        confirmed: false,
        cancel: None,
    };
    loaded.engine.run(plan, &options, &Silent).await.unwrap();
}

impl House {
    pub(crate) async fn open() -> House {
        House::built(3, TURN).await
    }

    /// The target takes every customer.
    pub(crate) async fn that_takes_all() -> House {
        House::built(0, TURN).await
    }

    /// It does, and a replay reads one window in a turn.
    pub(crate) async fn with_short_turns() -> House {
        House::built(0, 0).await
    }

    async fn built(refuse: usize, turn: i64) -> House {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("schemes");
        std::fs::create_dir(&folder).unwrap();
        for name in ["huke-customers.yaml", "huke-to-k3.yaml"] {
            std::fs::copy(root().join("schemes").join(name), folder.join(name)).unwrap();
        }
        std::fs::write(folder.join("broken.yaml"), "scheme: broken\nsorce: {}\n").unwrap();
        std::fs::copy(
            root().join("connections.yaml"),
            dir.path().join("connections.yaml"),
        )
        .unwrap();
        let config = sandbox::Config {
            trades: 30,
            refuse,
            ..sandbox::Config::default()
        };
        let simulated = sandbox::start(config).await.unwrap();
        let params = simulated.all_params();
        let used = ["netease-huke", "kingdee-k3cloud"];
        let secrets = params
            .iter()
            .filter(|(id, _)| used.contains(&id.as_str()))
            .flat_map(|(_, values)| values)
            .filter(|(name, _)| {
                ["secret", "password", "token", "key"]
                    .iter()
                    .any(|part| name.contains(part))
            })
            .map(|(_, value)| value.clone())
            .filter(|value| value.len() >= 6)
            .collect();
        let service = Service::open(setting(&folder, &simulated, turn, false))
            .await
            .unwrap();
        service.begin().await.unwrap();
        let now = service.now_ms();
        let mut tokens = Vec::new();
        for scope in Scope::ALL {
            tokens.push((scope, add_token(&service, Scopes::of(scope), None, now).await));
        }
        let hash = hash_password(PASSWORD).unwrap();
        let loaded = service.loaded();
        let added = loaded
            .engine
            .with_ledger(move |ledger| ledger.add_user("王工", &hash, "admin", now))
            .await;
        assert!(added.unwrap().unwrap());
        let state = State::new(Arc::clone(&service), Settings::default()).unwrap();
        House {
            router: server::router(state.clone()),
            state,
            service,
            folder,
            tokens,
            secrets,
            simulated,
            _dir: dir,
        }
    }

    /// Another process on the same files, after the end of this one.
    pub(crate) async fn restarted(self, read_only: bool) -> House {
        self.service.stop();
        let House {
            service,
            state,
            router,
            folder,
            tokens,
            secrets,
            simulated,
            _dir,
        } = self;
        drop((service, state, router));
        // Runs that are under way hold the ledger until they have ended.
        let opened = async {
            loop {
                match Service::open(setting(&folder, &simulated, TURN, read_only)).await {
                    Ok(service) => return service,
                    Err(app::AppError::Store(ledger::StoreError::Locked { .. })) => {
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let service = tokio::time::timeout(PATIENCE, opened)
            .await
            .expect("the lock is free");
        service.begin().await.unwrap();
        let state = State::new(Arc::clone(&service), Settings::default()).unwrap();
        House {
            router: server::router(state.clone()),
            state,
            service,
            folder,
            tokens,
            secrets,
            simulated,
            _dir,
        }
    }

    /// Asks again and again until an answer is as it should be.
    pub(crate) async fn until(
        &self,
        path: &str,
        right: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let asked = async {
            loop {
                let answer = self.ask("GET", path, "").await.is(200).json();
                if right(&answer) {
                    return answer;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or_else(|_| panic!("{path} does not become right"))
    }

    /// As a caller with this token.
    pub(crate) async fn as_token(&self, token: &str, method: &str, path: &str, body: &str) -> u16 {
        // Tokens that others made are known after a start.
        let state = State::new(Arc::clone(&self.service), Settings::default()).unwrap();
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("if-match", "\"0123456789abcdef\"")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = server::router(state).oneshot(request).await.unwrap();
        answer.status().as_u16()
    }

    /// Runs a scheme once, by hand.
    pub(crate) async fn pass(&self, scheme: &str) {
        run_once(&self.service, scheme, flow::Stages::All, self.simulated.now_ms()).await;
    }

    /// A token limited to schemes.
    pub(crate) async fn limited(&self, scopes: &str, schemes: &[&str]) -> String {
        let schemes = schemes.iter().map(|id| (*id).to_owned()).collect();
        let now = self.service.now_ms();
        let token = add_token(&self.service, Scopes::parse(scopes).unwrap(), Some(schemes), now).await;
        // Tokens that others made are known after a start.
        drop(State::new(Arc::clone(&self.service), Settings::default()).unwrap());
        token
    }

    pub(crate) fn token(&self, scope: Scope) -> &str {
        let found = self.tokens.iter().find(|(of, _)| *of == scope);
        found.map(|(_, token)| token.as_str()).unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.open_answer(request).await;
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn open_answer(&self, request: Request<Body>) -> axum::http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// As an administrator, in English.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, body, &[]).await
    }

    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.token(Scope::Admin)))
            .header("accept-language", "en");
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }
}

/// How long something may take on a machine that is busy with others.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

fn setting(folder: &Path, simulated: &sandbox::Running, turn: i64, read_only: bool) -> Setting {
    let (around, data) = (folder.to_owned(), folder.parent().unwrap().join("data"));
    let params = simulated.all_params();
    let load = move || {
        let places = Places {
            data_dir: Some(data.clone()),
            ..Places::default()
        };
        let simulators = Simulators {
            params: params.clone(),
            quiet_period_ms: 500,
        };
        let none = SecretTable {
            env: Default::default(),
            secret: Default::default(),
        };
        Workspace::load(&around, places, Some(simulators), Box::new(none))
    };
    Setting {
        folder: folder.to_owned(),
        load: Box::new(load),
        clock: Arc::new(SystemClock::default()),
        lang: Lang::En,
        opening: Opening::default(),
        places: flow::timetable::Places::default(),
        turn,
        read_only,
    }
}

pub(crate) async fn add_token(
    service: &Arc<Service>,
    scopes: Scopes,
    schemes: Option<Vec<String>>,
    now: i64,
) -> String {
    let (token, hash) = new_token().unwrap();
    let new = ledger::service::access::NewToken {
        name: format!("test {scopes}"),
        hash,
        scopes: scopes.to_string(),
        schemes,
        by: "test".to_owned(),
        expires: Some(now + 86_400_000),
    };
    let loaded = service.loaded();
    let added = loaded
        .engine
        .with_ledger(move |ledger| ledger.add_token(&new, now))
        .await;
    added.unwrap().unwrap().unwrap();
    token
}
