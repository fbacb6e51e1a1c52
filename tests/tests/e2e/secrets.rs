//! Credentials: wrong ones are told in the vendor's words, right ones are never shown, and every byte of a signature counts.

use serde_json::json;
use tests::e2e::{CUSTOMERS, Config, Credentials, MAIN, Message, Ran, World, judge, numbers, send};
use tests::trial::canaries::authenticate;

/// Text that stands nowhere else.
const CANARIES: [&str; 4] = [
    "canary-huke-4f1d83",
    "canary-k3-app-9b27c5",
    "canary-k3-password-6e01aa",
    "canary-token-77d2f0",
];

fn canaries(config: &mut Config) {
    config.credentials = Credentials {
        huke_secret: CANARIES[0].to_owned(),
        app_secret: CANARIES[1].to_owned(),
        password: CANARIES[2].to_owned(),
        ..Credentials::default()
    };
}

#[track_caller]
fn silent(ran: &Ran, secrets: &[String]) {
    for secret in secrets {
        assert!(
            !ran.stdout.contains(secret.as_str()),
            "stdout shows {secret:?}\n{ran}"
        );
        assert!(
            !ran.stderr.contains(secret.as_str()),
            "stderr shows {secret:?}\n{ran}"
        );
    }
}

#[track_caller]
fn not_left_behind(world: &World, secrets: &[String]) {
    for (path, bytes) in world.left_behind() {
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret:?}", path.display());
        }
    }
}

#[test]
fn a_wrong_secret_of_the_target_is_its_own_sentence_and_nothing_is_given_up() {
    let mut world = World::of(canaries);
    world.feed();
    // Right but for its last byte.
    let wrong = format!("{}6", CANARIES[1].trim_end_matches('5'));
    world.set("SANDBOX_K3_SECRET", &wrong);
    let run = world.run(&[], 3);
    assert_eq!(run["states"]["pending"], CUSTOMERS, "{run:#}");
    assert_eq!(run["states"]["dead"], 0, "{run:#}");
    let message = run["stopped"]["message"].as_str().expect("a sentence");
    assert!(message.contains("签名验证失败，请检查应用密钥"), "{message}");
    assert_eq!(world.journal().len(), 0);
    let told = world.engine(&["run", MAIN]);
    told.expect(3);
    assert!(
        format!("{}{}", told.stdout, told.stderr).contains("签名验证失败，请检查应用密钥"),
        "{told}"
    );
    silent(&told, std::slice::from_ref(&wrong));
    not_left_behind(&world, &[wrong]);

    world.set("SANDBOX_K3_SECRET", CANARIES[1]);
    let run = world.run(&[], 0);
    assert_eq!(run["states"]["done"], CUSTOMERS, "{run:#}");
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    world.verify();
}

#[test]
fn a_wrong_secret_of_the_source_is_its_own_sentence() {
    let mut world = World::of(canaries);
    world.feed();
    world.set("SANDBOX_HUKE_SECRET", "canary-huke-4f1d84");
    let run = world.run(&[], 3);
    assert_eq!(run["counts"]["fetched"], 0);
    let message = run["stopped"]["message"].as_str().expect("a sentence");
    assert!(message.contains("ur-checksum 校验失败"), "{message}");
    world.set("SANDBOX_HUKE_SECRET", CANARIES[0]);
    world.run(&[], 0);
    assert_eq!(
        numbers(&world.journal()).len(),
        CUSTOMERS,
        "the window was still open"
    );
}

#[test]
fn a_missing_secret_is_named_before_anything_is_called() {
    let mut world = World::small();
    world.unset("SANDBOX_K3_SECRET");
    let ran = world.engine(&["run", MAIN]);
    ran.expect(3).warns("SANDBOX_K3_SECRET");
    assert_eq!(world.state()["calls"], json!({}), "{ran}");
}

#[test]
fn all_missing_secrets_are_named_at_once() {
    let mut world = World::small();
    world.unset("SANDBOX_K3_SECRET");
    world.unset("SANDBOX_HUKE_SECRET");
    for words in [["run", MAIN], ["dry-run", MAIN]] {
        let ran = world.engine(&words);
        ran.expect(3).warns("E7005");
        for name in ["huke.", "k3.", "SANDBOX_K3_SECRET", "SANDBOX_HUKE_SECRET"] {
            ran.warns(name);
        }
    }
    assert_eq!(world.state()["calls"], json!({}));
}

#[test]
fn a_secret_in_clear_text_is_refused() {
    let world = World::small();
    world.edit(
        "connections.yaml",
        "\"${env:SANDBOX_K3_SECRET}\"",
        "\"written-down\"",
    );
    for words in [["check", "connections.yaml"], ["run", MAIN]] {
        let ran = world.engine(&words);
        assert!(matches!(ran.code, Some(1 | 2)), "{ran}");
        assert!(!ran.stdout.is_empty() || !ran.stderr.is_empty(), "{ran}");
    }
}

#[test]
fn no_secret_is_ever_shown_or_kept() {
    let mut secrets: Vec<String> = CANARIES[..3].iter().map(|text| (*text).to_owned()).collect();
    for mode in MODES {
        let mut world = World::of(canaries);
        authenticate(&mut world, mode, CANARIES[2]);
        let recorder = world.record();
        // Faults and refusals make the engine quote what was said.
        world.fault("BatchSave", 1, sandbox::FaultKind::DropAfter);
        world.fault("ExecuteBillQuery", 2, sandbox::FaultKind::SessionLost);
        world.feed();
        for login in [
            "LoginBySign.common.kdsvc",
            "LoginByAppSecret.common.kdsvc",
            "ValidateUser.common.kdsvc",
        ] {
            for (_, answer) in recorder.calls(login) {
                secrets.push(answer.json()["KDSVCSessionId"].as_str().expect("text").to_owned());
            }
        }
        for words in [
            vec!["run", MAIN, "-v", "-v"],
            vec!["run", MAIN, "--json"],
            vec!["dry-run", MAIN, "--show", "request", "-v", "-v"],
            vec!["dry-run", MAIN, "--json"],
            vec!["rows", "list"],
            vec!["rows", "list", "--json"],
            vec!["runs", "list", "--json"],
            vec!["check", "schemes", "connections.yaml", "--json"],
            vec!["verify", "--json"],
        ] {
            silent(&world.engine(&words), &secrets);
        }
        let key = world.journal()[0].number.clone();
        for part in ["source", "payload", "answer"] {
            silent(&world.engine(&["rows", "show", &key, "--show", part]), &secrets);
        }
        for login in [
            "LoginBySign.common.kdsvc",
            "LoginByAppSecret.common.kdsvc",
            "ValidateUser.common.kdsvc",
        ] {
            for (_, answer) in recorder.calls(login) {
                secrets.push(answer.json()["KDSVCSessionId"].as_str().expect("text").to_owned());
            }
        }
        not_left_behind(&world, &secrets);
    }
}

/// Ways to authenticate at Kingdee.
const MODES: [&str; 4] = ["login_by_sign", "sign", "login_by_app_secret", "validate_user"];

#[test]
fn every_way_to_authenticate_works() {
    for mode in MODES {
        let mut world = World::of(canaries);
        authenticate(&mut world, mode, CANARIES[2]);
        world.feed();
        world.run(&[], 0);
        assert_eq!(numbers(&world.journal()).len(), CUSTOMERS, "{mode}");
        assert_eq!(judge(&world.journal()), Vec::<String>::new(), "{mode}");
        world.verify();
    }
}

#[test]
fn a_wrong_secret_is_told_in_every_way_to_authenticate() {
    for (mode, name, sentence) in [
        ("sign", "SANDBOX_K3_SECRET", "X-Kd-Signature 不正确"),
        (
            "login_by_app_secret",
            "SANDBOX_K3_SECRET",
            "应用ID或应用密钥不正确",
        ),
        ("validate_user", "K3_PASSWORD", "用户名或密码错误"),
    ] {
        let mut world = World::of(canaries);
        authenticate(&mut world, mode, CANARIES[2]);
        world.feed();
        world.set(name, "not-the-secret");
        let run = world.run(&[], 3);
        let message = run["stopped"]["message"].as_str().expect("a sentence");
        assert!(message.contains(sentence), "{mode}: {message}");
        assert_eq!(run["states"]["pending"], CUSTOMERS, "{mode}: {run:#}");
        assert_eq!(world.journal().len(), 0, "{mode}");
    }
}

/// The same message with one hexadecimal digit, or one other character, of a text changed.
fn bent(message: &Message, text: &str, at: usize) -> Message {
    let mut other = text.to_owned();
    let new = if &text[at..=at] == "0" { "1" } else { "0" };
    other.replace_range(at..=at, new);
    let body = message.text();
    Message {
        head: message.head.replace(text, &other),
        body: body.replace(text, &other).into_bytes(),
    }
}

#[test]
fn one_byte_of_a_signature_decides() {
    let world = World::small();
    let recorder = world.record();
    world.feed();
    world.run(&[], 0);

    let (request, _) = recorder.calls("trade/searchTrades").remove(0);
    assert_eq!(
        send(world.addr(), &request).expect("an answer").json()["code"],
        200,
        "unchanged it is taken"
    );
    for header in ["ur-checksum", "ur-sign"] {
        let signature = request.header(header).expect("a signed request").to_owned();
        for at in 0..signature.len() {
            let answer = send(world.addr(), &bent(&request, &signature, at))
                .expect("an answer")
                .json();
            assert_ne!(answer["code"], 200, "{header} byte {at}: {answer}");
        }
    }
    // One byte of the body, which `ur-sign` covers.
    let answer = send(world.addr(), &bent(&request, "\"2\"", 1))
        .expect("an answer")
        .json();
    assert_ne!(answer["code"], 200, "{answer}");

    let (request, _) = recorder.calls("LoginBySign.common.kdsvc").remove(0);
    assert_eq!(
        send(world.addr(), &request).expect("an answer").json()["LoginResultType"],
        1,
        "unchanged it is taken"
    );
    let parameters = request.json()["parameters"].clone();
    let signature = parameters[4].as_str().expect("text").to_owned();
    assert_eq!(signature.len(), 64, "{parameters}");
    for at in 0..signature.len() {
        let answer = send(world.addr(), &bent(&request, &signature, at))
            .expect("an answer")
            .json();
        assert_eq!(answer["LoginResultType"], 0, "byte {at}: {answer}");
    }
}

#[test]
fn one_byte_of_a_signed_header_decides() {
    let mut world = World::small();
    authenticate(&mut world, "sign", CANARIES[2]);
    let recorder = world.record();
    world.feed();
    world.run(&[], 0);
    let (request, answer) = recorder.calls("ExecuteBillQuery.common.kdsvc").remove(0);
    let good = answer.text();
    assert_eq!(
        send(world.addr(), &request).expect("an answer").status(),
        Some(200)
    );
    for header in ["X-Api-Signature", "X-Kd-Signature"] {
        let signature = request.header(header).expect("a signed request").to_owned();
        // The last characters of base64 may be padding, which says nothing.
        for at in 0..signature.trim_end_matches('=').len() {
            let answer = send(world.addr(), &bent(&request, &signature, at))
                .expect("an answer")
                .text();
            assert!(
                answer.contains("第三方系统登录授权验证失败"),
                "{header} byte {at}: {answer}\n{good}"
            );
        }
    }
}
