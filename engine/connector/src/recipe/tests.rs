use super::*;

fn eval(text: &str, names: &[(&str, Jinja)]) -> Result<String, String> {
    let known = |name: &str| names.iter().any(|(known, _)| *known == name);
    let recipe = Recipe::compile(text, Missing::Fails, &known).map_err(|error| format!("{error:?}"))?;
    let mut cx = Names::default();
    cx.attempt(1_700_000_000_123, [7; 16], "Asia/Shanghai");
    for (name, value) in names {
        cx.set(*name, value.clone());
    }
    recipe
        .eval(&cx)
        .map(|value| value.to_string())
        .map_err(|error| error.0)
}

#[track_caller]
fn check(text: &str, want: &str) {
    assert_eq!(eval(text, &[]).as_deref(), Ok(want), "{text}");
}

#[track_caller]
fn fails(text: &str, want: &str) {
    match eval(text, &[]) {
        Ok(value) => panic!("{text} gave {value}"),
        Err(error) => assert!(error.contains(want), "{text}: {error}"),
    }
}

#[test]
fn digests_and_encodings() {
    check("'' | md5 | hex", "d41d8cd98f00b204e9800998ecf8427e");
    check(
        "'abc' | sha1 | hex_upper",
        "A9993E364706816ABA3E25717850C26C9CD0D89D",
    );
    check(
        "'客户' | sha256 | hex",
        "ad4af312dbc2f59366cedb1dc7880615a7606efefec9a865335a5080af99ece7",
    );
    check(
        "'what do ya want for nothing?' | hmac_sha256('Jefe') | hex",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    check("'hi' | b64", "aGk=");
    check("'aGk=' | unb64 | hex", "6869");
    check("'aGk' | unb64 | hex", "6869"); // without padding
    check("'?>?>' | b64url", "Pz4_Pg");
    check("'/a b/客' | urlenc", "%2Fa%20b%2F%E5%AE%A2");
    check("('abc' | xor('   ')) | hex", "414243");
    check("'客户编码' | take(2)", "客户");
    check("123 | md5 | hex", "202cb962ac59075b964b07152d234b70"); // an integer is its digits
}

#[test]
fn aes_pads_a_full_block_too() {
    // FIPS-197 appendix B, then a block of sixteen 0x10.
    let key = "2b7e151628aed2a6abf7158809cf4f3c";
    let block = "3243f6a8885a308d313198a2e0370734";
    let bytes = |hex: &str| {
        raw((0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect())
    };
    let got = eval(
        "d | aes128_ecb(k) | hex",
        &[("d", bytes(block)), ("k", bytes(key))],
    )
    .unwrap();
    assert_eq!(got.len(), 64);
    assert!(got.starts_with("3925841d02dc09fbdc118597196a0b32"), "{got}");
}

#[test]
fn bytes_are_not_text() {
    for text in [
        "'a' ~ ('b' | md5)",
        "('b' | md5) ~ ''",
        "['a', 'b' | md5] | join",
        "('b' | md5) | string",
        "{'k': 'b' | md5} ~ ''",
    ] {
        fails(text, "raw bytes");
    }
    // The value itself is fine, and so is a condition on it.
    assert_eq!(
        eval("(d | md5 | hex) if d else 'empty'", &[("d", raw(vec![]))]).as_deref(),
        Ok("empty")
    );
}

#[test]
fn sort_is_case_sensitive_only_when_asked() {
    // The engine's default folds case: the trap that gives a wrong login signature.
    check(
        "['b1', 'Admin', 'a2', 'Zs', '1700000000'] | sort(case_sensitive=true) | join",
        "1700000000AdminZsa2b1",
    );
    check(
        "['b1', 'Admin', 'a2', 'Zs', '1700000000'] | sort | join",
        "1700000000a2Adminb1Zs",
    );
}

#[test]
fn pairs() {
    let map = |json: &str| data::give(dsl::json::parse(json.as_bytes()).unwrap());
    let form = map(r#"{"sid":"demo","name":"客户","page":0,"Zz":"","sign":"x"}"#);
    let eval = |text: &str| eval(text, &[("form", form.clone())]);
    assert_eq!(
        eval("form | fmt_pairs('{k}{v}', skip_empty=true, exclude='sign')").as_deref(),
        Ok("name客户page0siddemo")
    );
    assert_eq!(
        eval("form | fmt_pairs('{kl:02}-{k}:{vl:04}-{v}', sep=';', len='chars', exclude=['sign', 'Zz', 'page'])").as_deref(),
        Ok("04-name:0002-客户;03-sid:0004-demo")
    );
    assert_eq!(
        eval("form | fmt_pairs('{vl}', len='bytes', exclude=['sign', 'Zz', 'page', 'sid'])").as_deref(),
        Ok("6")
    );
    assert_eq!(
        eval("form | fmt_pairs('{k}', ',')").as_deref(),
        Ok("Zz,name,page,sid,sign")
    ); // by bytes
    assert!(eval("form | fmt_pairs('{x}')").unwrap_err().contains("{k} {v}"));
}

#[test]
fn a_tree_as_one_text() {
    let flat = |json: &str, recipe: &str| {
        let tree = data::give(dsl::json::parse(json.as_bytes()).unwrap());
        eval(recipe, &[("tree", tree)])
    };
    for (json, want) in [
        (r#"{"b":"2","a":1,"B":"x","客":"户"}"#, "Bxa1b2客户"), // by bytes
        (r#"{"a":{"z":1.50,"y":[{"k":"v"},"w",["u"]]}}"#, "aykvwuz1.50"),
        (r#"{"a":"{\"z\":1,\"y\":[2]}","b":"[3]"}"#, "ay2z1b3"), // text that is JSON
        (r#"{"a":"{not json}","b":"[","c":"12"}"#, "a{not json}b[c12"),
        (r#"{"a":null,"b":"","c":true,"d":false}"#, "bctruedfalse"), // null goes with its name, empty text stays
        (
            r#"{"sign":"s","a":{"sign":"s","b":1},"c":"{\"sign\":1}"}"#,
            "ab1c",
        ), // left out at every depth
        (r#"["x",{"y":1}]"#, "xy1"),
        (r#""text""#, "text"),
    ] {
        assert_eq!(
            flat(json, "tree | flat(exclude='sign')").as_deref(),
            Ok(want),
            "{json}"
        );
    }
    assert_eq!(
        flat(r#"{"a":1,"b":2,"c":3}"#, "tree | flat(exclude=['a', 'c'])").as_deref(),
        Ok("b2")
    );
    // JSON inside text inside JSON: bounded, whatever is sent.
    let mut deep = "1".to_owned();
    for _ in 0..10 {
        deep = json_text(&format!("[[[[[[[{deep}]]]]]]]"));
    }
    assert!(flat(&deep, "tree | flat()").unwrap_err().contains("too deep"));
    assert!(
        eval("{'a': 'b' | md5} | flat()", &[])
            .unwrap_err()
            .contains("not text")
    );
}

/// A text as JSON writes it.
fn json_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The signature inside a call of Wangdiantong through Taobao's gateway, made elsewhere; each twin differs in a byte.
#[test]
fn a_signature_inside_a_signed_call() {
    let sign = |page: &str| {
        let form = format!(
            r#"{{"datetime":"2020-09-17 19:22:26","wdt_salt":"salt","wdt3_customer_id":"wdtapi3",
            "pager":"{{\"page_no\":{page},\"page_size\":10}}","wdt_appkey":"wdt_appkey",
            "params":"{{\"end_date\":\"2020-09-20 00:00:00\",\"spec_no\":null,\"start_date\":\"2020-08-23 00:00:00\",\"warehouse_no\":\"1001\"}}",
            "method":"wdt.wms.stockspec.querychangehistory"}}"#
        );
        let form = data::give(dsl::json::parse(form.as_bytes()).unwrap());
        let recipe = "('secret' ~ (form | flat(exclude=['wdt3_customer_id', 'wdt_sign', 'target_app_key'])) ~ 'secret') | md5 | hex";
        eval(recipe, &[("form", form)])
    };
    let known = "1f5e87bbbc8bc68f4f0af70f79620b7d";
    assert_eq!(sign("1").as_deref(), Ok(known));
    assert_ne!(sign("2").as_deref(), Ok(known));
}

/// The gateway of Taobao (Qimen): the secret on both sides of the sorted pairs, capitals. Checked against a signature made elsewhere; its twin has one letter changed.
#[test]
fn a_signature_of_the_taobao_gateway() {
    let sign = |method: &str| {
        let form = format!(
            r#"{{"app_key":"ak","method":"{method}","timestamp":"2023-11-14 22:13:20","v":"2.0","sign_method":"md5","format":"json"}}"#
        );
        let form = data::give(dsl::json::parse(form.as_bytes()).unwrap());
        let recipe = "('sec' ~ (form | fmt_pairs('{k}{v}')) ~ 'sec') | md5 | hex_upper";
        eval(recipe, &[("form", form)])
    };
    let known = "0154377B1597AA0A87CE7750186663CB";
    assert_eq!(sign("wdt.trade.query").as_deref(), Ok(known));
    assert_ne!(sign("wdt.trade.qyery").as_deref(), Ok(known));
}

#[test]
fn the_signature_of_a_gateway() {
    // Taobao's (TOP, Qimen): the secret, every parameter behind its name in order of names, the secret.
    let form = |v: &str| {
        let json = format!(
            r#"{{"app_key":"ak","method":"wdt.trade.query","timestamp":"2023-11-14 22:13:20","v":"{v}","sign_method":"md5","format":"json"}}"#
        );
        data::give(dsl::json::parse(json.as_bytes()).unwrap())
    };
    let sign = |v: &str, secret: &str| {
        eval(
            "(secret ~ (form | fmt_pairs('{k}{v}')) ~ secret) | md5 | hex_upper",
            &[("form", form(v)), ("secret", Jinja::from(secret))],
        )
    };
    assert_eq!(
        sign("2.0", "sec").as_deref(),
        Ok("0154377B1597AA0A87CE7750186663CB")
    );
    assert_ne!(sign("2.1", "sec"), sign("2.0", "sec"));
    assert_ne!(sign("2.0", "Sec"), sign("2.0", "sec"));
}

#[test]
fn clock_and_chance() {
    check("now('unix_s')", "1700000000");
    check("now('unix_ms')", "1700000000123");
    check("now('unix_s', epoch_offset=1325347200)", "374652800");
    check("now('%Y-%m-%d %H:%M:%S')", "2023-11-15 06:13:20");
    check("now('%H', 'UTC')", "22");
    check("(rand(8) == rand(8)) ~ ''", "False");
    assert_eq!(eval("rand(32)", &[]).unwrap().len(), 32);
    fails("rand(65)", "at most");
    fails("now('%H', 'Nowhere/Land')", "zone");
}

#[test]
fn truth_of_texts() {
    for (text, want) in [
        ("true", "True"),
        ("'true'", "True"),
        ("'False'", "False"),
        ("'false'", "False"),
        ("0", "False"),
        ("1", "True"),
        ("''", "False"),
        ("none", "False"),
    ] {
        check(&format!("({text} | truthy) ~ ''"), want);
    }
}

#[test]
fn peeling() {
    let body = data::give(dsl::json::parse(br#"[[{"Result":{"x":1}}]]"#).unwrap());
    assert_eq!(eval("unwrap(b).Result.x", &[("b", body)]).as_deref(), Ok("1"));
    let rows = data::give(dsl::json::parse(br#"[["a"],["b"]]"#).unwrap());
    assert_eq!(eval("unwrap(b) | length", &[("b", rows)]).as_deref(), Ok("2"));
}

#[test]
fn refused_at_load() {
    fails("app_idd ~ 'x'", "Name(\"app_idd\")");
    fails("'a' | sha265", "Filter(\"sha265\")");
    fails("'a' is startswith 'b'", "Filter(\"startswith\")");
    fails("'a' is not emptyy", "Filter(\"emptyy\")");
    fails("1 +", "Syntax");
    fails(&"1 + ".repeat(2000), "TooLong");
    check("'a | nofilter is nothing' | length", "23"); // words in a text are not names
}

#[test]
fn refused_when_run() {
    fails("'abc' | take(4)", "fewer");
    fails("'abcdef' | xor('abc')", "shorter");
    fails("'%' | unb64", "base64");
    fails("'a' | aes128_ecb('short')", "16 bytes");
    fails("'a' | md5 | take(17)", "fewer");
    fails("[1] | md5", "text or bytes expected");
    fails("range(20000) | map('string') | list | length", "range");
}

#[test]
fn an_error_does_not_quote_a_value() {
    for text in [
        "secret | int",
        "secret | unb64",
        "secret | xor('x')",
        "secret.a.b",
    ] {
        let error = eval(text, &[("secret", Jinja::from("canary%%%secret"))]).unwrap_err();
        assert!(!error.contains("canary"), "{text}: {error}");
    }
}

/// A key that was made for this test, and its private exponent.
const PUBLIC: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC1mEv4ozfcVV9S204p6wTAmRvWgyxPT2HvUk/6w/BfENyRZOLQM6fGfC/xop82CE8KW3zEEzXZsV6Fa4bDnhDoCvkcXos8dVKXDKC2qlCMZT7v/8MhBzxQWVMVFCCCClkHuZTc8JY9sWfVHsWvpFwHedqoUBkGHB7uj/jqkjdkxQIDAQAB";
const MODULUS: &str = "b5984bf8a337dc555f52db4e29eb04c0991bd6832c4f4f61ef524ffac3f05f10dc9164e2d033a7c67c2ff1a29f36084f0a5b7cc41335d9b15e856b86c39e10e80af91c5e8b3c7552970ca0b6aa508c653eefffc321073c505953151420820a5907b994dcf0963db167d51ec5afa45c0779daa85019061c1eee8ff8ea923764c5";
const PRIVATE: &str = "ae8ffb1fc50e92b04294ec99e3b3b6fac973b82e9a2e9739a68bf2b4351c60d65da12a60da117dcb505fea211079295d89b04e6c51a7275fd863daec4e292947b60c6c2cc46d3d4c72a8ce2213002273df7ce26cfe168eda5a85716555e73161e5c39701990d0778655972bdd70a98ed6bc22506776448ea7144d42f5af91a95";

/// What is encrypted is found again with the private key, and is another text each time.
#[test]
fn rsa_is_undone_by_the_private_key() {
    use num_bigint::BigUint;
    let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n",
        &PUBLIC[..64],
        &PUBLIC[64..]
    );
    for key in [PUBLIC, &pem] {
        for text in ["s3cret", "客户", &"x".repeat(117)] {
            let names = [("t", Jinja::from(text)), ("k", Jinja::from(key))];
            let both = eval(
                "[t | rsa_pkcs1(k) | hex, t | rsa_pkcs1(k) | hex] | join(' ')",
                &names,
            )
            .unwrap();
            let (one, other) = both.split_once(' ').unwrap();
            assert_ne!(one, other);
            for hex in [one, other] {
                assert_eq!(hex.len(), 256);
                let block = number(hex)
                    .modpow(&number(PRIVATE), &number(MODULUS))
                    .to_bytes_be();
                let end = block.iter().position(|byte| *byte == 0).unwrap();
                assert!(block[0] == 2 && block.len() == 127 && end >= 9, "{block:?}");
                assert_eq!(&block[end + 1..], text.as_bytes());
            }
        }
    }
}

#[test]
fn rsa_takes_only_keys_that_can_be_some() {
    let failed = |key: &str, text: &str| {
        let names = [("t", Jinja::from(text)), ("k", Jinja::from(key))];
        eval("t | rsa_pkcs1(k) | hex", &names).expect_err(key)
    };
    assert!(failed(PUBLIC, &"x".repeat(118)).contains("too long"));
    let ec = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtFGhSMt2KMwk7gXcHGtmHcRNeZY7YRd1fXWTSAq4Ve6Z8nS0tA5Jw0WzGJjN7NiGJ0RkUYm5VrzOQTBIG4Kwkw==";
    for key in ["", "x", "AAAA", &PUBLIC[..80], &PUBLIC[4..], ec, "MAYCAQUCAQM="] {
        assert!(failed(key, "a").contains("no RSA public key"), "{key}");
    }
}
