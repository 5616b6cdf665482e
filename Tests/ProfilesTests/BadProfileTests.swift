import Contracts
import Testing

@testable import Profiles

/// What is said of bad profiles, word for word (looks.md section 4): place, what is wrong, and what was found, is expected or
/// is to be written instead.
@Suite struct BadProfileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var text: String
        /// `LINE:COLUMN: error: SENTENCE; REMEDY`
        var said: [String]
        var testDescription: String { text }
    }

    private static func file(_ text: String, _ said: String...) -> Row { Row(text: text, said: said) }
    /// Line 3 on.
    private static func key(_ text: String, _ said: String...) -> Row { Row(text: "miswire: 1\nname: t\n" + text + "\n", said: said) }
    /// Line 4, column 5 on.
    private static func fault(_ text: String, _ said: String...) -> Row {
        Row(text: "miswire: 1\nname: t\nfaults:\n  - " + text + "\n", said: said)
    }

    static let rows: [Row] = [
        file(#""#,
            #"1:1: error: the file is empty; begin a profile with miswire: 1, a contract with miswire-contract: 1"#),
        file(#"just words\#n"#,
            #"1:1: error: the profile needs a mapping; found "just words", expected keys such as `miswire:`, each with its value"#),
        file(#"- a\#n- b\#n"#,
            #"1:1: error: the profile needs a mapping; found a list, expected keys such as `miswire:`, each with its value"#),
        key(#"about: ["#,
            #"4:1: error: not readable as YAML: did not find expected node content; write a value here, or leave the sign out"#),
        file(#"miswire: 1\#n\#tname: t\#n"#,
            #"2:1: error: not readable as YAML: found a tab character that violates indentation; indent with spaces"#),
        key(#"about: &a x"#,
            #"3:8: error: anchors are not allowed: &a; write the value out, or put quotes around it if it is text"#),
        key(#"about: *a"#,
            #"3:8: error: aliases are not allowed: *a; write the value out, or put quotes around it if it is text"#),
        key(#"about: !!str x"#,
            #"3:8: error: tags are not allowed: !!str; leave it out, or put quotes around it if it is text"#),
        key(#"seed: 1\#nseed: 2"#,
            #"4:1: error: `seed` is given twice; again here; keep one"#),
        key(#"---\#nmiswire: 1"#,
            #"3:1: error: not readable as YAML: but found another document; keep one, and leave out the line ---"#),
        file(#"name: t\#n"#,
            #"1:1: error: `miswire` is missing; write `miswire: 1` as the first line"#),
        file(#"miswire: one\#nname: t\#n"#,
            #"1:10: error: `miswire` needs a version; found "one", write `miswire: 1`"#),
        file(#"miswire: 2\#nname: t\#n"#,
            #"1:10: error: miswire: 2 is newer than this program (1); use a newer miswire"#),
        file(#"miswire: 0\#nname: t\#n"#,
            #"1:10: error: `miswire` needs a version; found "0", write `miswire: 1`"#),
        file(#"miswire: 1\#n"#,
            #"1:1: error: `name` is missing; write `name: NAME` below `miswire`"#),
        file(#"miswire: 1\#nname: my profile\#n"#,
            #"2:7: error: `my profile` is not a name; write letters, digits, dots and dashes"#),
        file(#"miswire: 1\#nname: [t]\#n"#,
            #"2:7: error: `name` needs a text; found a list, write one of them"#),
        key(#"abuot: x"#,
            #"3:1: error: the profile has no `abuot`; write `about`"#),
        key(#"about: {a: b}"#,
            #"3:8: error: `about` needs a text; found a mapping"#),
        key(#"seed: -1"#,
            #"3:7: error: `seed` needs a whole number; found "-1", expected a number from 0"#),
        key(#"seed: '7'"#,
            #"3:7: error: `seed` needs a whole number; write `7` without quotes"#),
        key(#"contract: []"#,
            #"3:11: error: `contract` needs a text; found a list, write one of them"#),
        key(#"extends: [a, b]"#,
            #"3:10: error: `extends` needs the name of one profile; found a list, write `extends: NAME`; several stand beside each other with --profile a,b"#),
        key(#"zzz: 1"#,
            #"3:1: error: the profile has no `zzz`; known: miswire name about extends contract seed scope faults"#),
        key(#"conditions: {}"#,
            #"3:1: error: the profile has no `conditions`; known: miswire name about extends contract seed scope faults"#),
        key(#"scope: all"#,
            #"3:8: error: `scope` needs a mapping; found "all", expected keys such as `paths:`, each with its value"#),
        key(#"scope: { pathes: [/ws] }"#,
            #"3:10: error: `scope` has no `pathes`; write `paths`"#),
        key(#"scope: { share: 0.1 }"#,
            #"3:17: error: `share` needs a share; found the number 0.1, expected a percentage from 0% to 100%, such as 5%"#),
        key(#"scope: { share: 120% }"#,
            #"3:17: error: `share` needs a share; found "120%", expected a percentage from 0% to 100%, such as 5%"#),
        key(#"scope: { expires: 30 }"#,
            #"3:19: error: `expires` needs a duration; write `30s`"#),
        key(#"scope: { expires: soon }"#,
            #"3:19: error: `expires` needs a duration; found a word, expected a number with ms, s or m, such as 250ms"#),
        key(#"scope: { budget: 20 }"#,
            #"3:18: error: `budget` needs a mapping; found "20", expected keys such as `per-connection:`, each with its value"#),
        key(#"scope: { budget: { per-conection: 1 } }"#,
            #"3:20: error: `budget` has no `per-conection`; write `per-connection`"#),
        key(#"scope: { budget: { total: -1 } }"#,
            #"3:27: error: `total` needs a number; found the number -1, expected a whole number from 0"#),
        key(#"scope: { budget: { total: many } }"#,
            #"3:27: error: `total` needs a number; found a word, expected a whole number from 0"#),
        key(#"scope: { users: [{ a: b }] }"#,
            #"3:18: error: `users` needs a text; found a mapping"#),
        key(#"scope: { user: alice }"#,
            #"3:10: error: `scope` has no `user`; write `users`"#),
        key(#"faults: {}"#,
            #"3:9: error: `faults` needs a list; found a mapping, write each fault behind a dash"#),
        key(#"faults: drop"#,
            #"3:9: error: `faults` needs a list; found "drop", write each fault behind a dash"#),
        fault(#"drop"#,
            #"4:5: error: fault 1 needs a mapping; found "drop", write `fault: KIND`"#),
        fault(#"{ id: x }"#,
            #"4:5: error: fault 1 names no kind; write `fault: KIND`"#),
        fault(#"{ fault: dorp }"#,
            #"4:14: error: no fault is called `dorp`; write `drop`"#),
        fault(#"{ fault: nothing-like-it }"#,
            #"4:14: error: no fault is called `nothing-like-it`; known: accept-delay early-frames refuse handshake-mutate drop-auth offer-deflate announce drop …"#),
        fault(#"{ fault: [drop] }"#,
            #"4:14: error: `fault` needs a text; found a list, write one of them"#),
        fault(#"{ fault: drop, id: Über }"#,
            #"4:24: error: `Über` is no id; write small letters, digits and dashes, at most 64"#),
        fault(#"{ fault: drop, id: '' }"#,
            #"4:24: error: `id` needs a text; found """#),
        fault(#"{ fault: drop, id: a }\#n  - { fault: drop, id: a }"#,
            #"5:24: error: two faults are called `a`; again here; give it another id"#),
        fault(#"{ fault: drop, delay: 1s }"#,
            #"4:20: error: `drop` has no setting `delay`; leave it out, it has none"#),
        fault(#"{ fault: delay, dely: 1s }"#,
            #"4:21: error: `delay` has no setting `dely`; write `delay`"#),
        fault(#"{ fault: delay, delay: quick }"#,
            #"4:28: error: `delay` needs a duration; found a word, expected a number with ms, s or m, such as 250ms"#),
        fault(#"{ fault: delay, delay: 1 sec }"#,
            #"4:28: error: `delay` needs a duration; write `1s`"#),
        fault(#"{ fault: delay, delay: 1h }"#,
            #"4:28: error: `delay` needs a duration; found 1h, expected at most 600s"#),
        fault(#"{ fault: delay, delay: [1s, 2s] }"#,
            #"4:28: error: `delay` needs a duration; found a list, expected a number with ms, s or m, such as 250ms"#),
        fault(#"{ fault: duplicate, copies: 0 }"#,
            #"4:33: error: `copies` needs a number; found 0, expected 1 to 64"#),
        fault(#"{ fault: duplicate, copies: many }"#,
            #"4:33: error: `copies` needs a number; found a word, expected a whole number from 0"#),
        fault(#"{ fault: oversize, size: 3TiB }"#,
            #"4:30: error: `size` needs a size; found "3TiB", expected a number with B, KiB or MiB, such as 64KiB"#),
        fault(#"{ fault: bandwidth, rate: 64 }"#,
            #"4:31: error: `rate` needs a rate; found the number 64, expected a size a second with B, KB, KiB, MB or MiB, such as 64KiB/s"#),
        fault(#"{ fault: drop-auth, in: [headr] }"#,
            #"4:30: error: `in` needs some of header, cookie, query, subprotocol, first-message; write `header`"#),
        fault(#"{ fault: drop-auth, how: swap }"#,
            #"4:14: error: `among` needs both users of a swap; found 0, expected two names or more"#),
        fault(#"{ fault: accept-delay, stage: upgrade }"#,
            #"4:35: error: `stage` needs one of tcp-accept, upgrade-request, upgrade-response; write `upgrade-request`"#),
        fault(#"{ fault: refuse, status: 200 }"#,
            #"4:30: error: `status` needs a status that refuses; found 200, expected 400 to 599"#),
        fault(#"{ fault: inject, payload: abc, form: hex }"#,
            #"4:31: error: `payload` needs a payload; found "abc", expected an even number of hexadecimal digits"#),
        fault(#"{ fault: regex-replace, pattern: '(' }"#,
            #"4:38: error: `pattern` needs an expression; found "(" (re: "(" is never closed), expected one that can be read"#),
        fault(#"{ fault: cross-streams, mode: steal }"#,
            #"4:35: error: `mode` needs one of swap, copy, divert, leak; found "steal""#),
        fault(#"{ fault: drop, off: true }"#,
            #"4:25: error: `off` takes away a fault of the profile that is extended; name that in `extends`, or leave the fault out"#),
        fault(#"{ fault: drop, when: every 3 }"#,
            #"4:26: error: `when` needs a mapping; found "every 3", expected keys such as `connection:`, each with its value"#),
        fault(#"{ fault: drop, when: { mesage: every 3 } }"#,
            #"4:28: error: `when` has no `mesage`; write `message`"#),
        fault(#"{ fault: drop, when: { message: 3 } }"#,
            #"4:37: error: `message` says which ones; write `nth 3` or `every 3`"#),
        fault(#"{ fault: drop, when: { message: evry 3 } }"#,
            #"4:37: error: `message` says which ones; write `every 3`"#),
        fault(#"{ fault: drop, when: { message: share 5 } }"#,
            #"4:37: error: `message` says which ones; write `share 5%`"#),
        fault(#"{ fault: drop, when: { message: share 200% } }"#,
            #"4:37: error: `message` says which ones; found "share 200%", expected `nth 2`, `every 3`, `first 10` or `share 5%`"#),
        fault(#"{ fault: drop, when: { to: sever } }"#,
            #"4:32: error: `to` needs one of server, client; write `server`"#),
        fault(#"{ fault: drop, when: { during: connection } }"#,
            #"4:36: error: `during` needs one of run; found "connection""#),
        fault(#"{ fault: drop, when: { after: 5 sec } }"#,
            #"4:35: error: `after` needs a time, a number of messages or an event; write `5s`"#),
        fault(#"{ fault: drop, when: { match: { type: <txet> } } }"#,
            #"4:43: error: pattern "<txet>": not a type word; nearest: text"#),
        fault(#"{ fault: drop, when: { user: [a, b] } }"#,
            #"4:34: error: `user` needs a text; found a list, write one of them"#),
        fault(#"{ fault: latency, when: { message: nth 1 } }"#,
            #"4:40: error: `latency` acts on bytes, which `message` says nothing of; leave it out; `connection`, `user`, `path` and `to` choose, `after` and `until` take a time"#),
        fault(#"{ fault: drop, expect: fine }"#,
            #"4:28: error: `expect` has no `fine`; expected refused, closed, error event, recovers, delivered, nothing lost"#),
        fault(#"{ fault: drop, expect: closed 999 }"#,
            #"4:28: error: 999 is no close code; write one from 1000 to 4999"#),
        fault(#"{ fault: drop, expect: refused 1008 }"#,
            #"4:28: error: `expect: refused` takes no close codes; write `closed 1008`, or leave them out"#),
        fault(#"{ fault: drop, expect: delivered within 2 }"#,
            #"4:28: error: `expect` needs a duration behind `within`; write `within 2s`"#),
        fault(#"{ fault: drop, expect: delivered soon }"#,
            #"4:28: error: `expect` has no `delivered soon`; write `delivered`"#),
        fault(#"{ fault: drop, expect: [refused] }"#,
            #"4:28: error: `expect` needs a text; found a list, write one of them"#),
        fault(#"{ fault: inject, payload: 'a ${miswire_unset_variable}' }"#,
            #"4:31: error: `payload` needs the variable `miswire_unset_variable`, which is not set; set it for this program, or write the text"#),
        fault(#"{ fault: inject, payload: '${' }"#,
            #"4:31: error: `payload` has a `${` without the name of a variable; write `${NAME}`, or `$${` for the two signs themselves"#),
        fault(#"{ fault: inject, payload: '${1A}' }"#,
            #"4:31: error: `payload` has a `${` without the name of a variable; write `${NAME}`, or `$${` for the two signs themselves"#),
        fault(#"{ fault: delay, delay: '${D}' }"#,
            #"4:28: error: `delay` needs a duration; found "${D}", and variables stand in texts only"#),
    ]

    @Test(arguments: rows)
    func saysWhereWhatAndHow(row: Row) throws {
        do throws(ConfigurationErrors) {
            _ = try ProfileLoader.parse(text: row.text, file: "p.yaml", environment: [:])
            Issue.record("nothing is said")
        } catch {
            #expect(error.errors.map { String($0.plain.dropFirst("p.yaml:".count)) } == row.said)
            // Each has its line, with a mark under what is wrong, and something to do about it.
            for one in error.errors {
                #expect(!one.remedy.isEmpty && one.line > 0)
                #expect(one.block.count >= 2)
            }
        }
    }

    /// No value is in what is said, not even of one that no fault takes.
    @Test(arguments: [
        ("inject, payload: '${EMPTY}'", "31: error: `payload` needs the variable `EMPTY`, which is empty; set it for this program, or write the text"),
        ("inject, payload: '${SHORT}'", "31: error: `payload` needs the variable `SHORT`, which is too short to be kept secret; found fewer than 4 bytes; write the text itself"),
        ("inject, payload: 'ab${LONG}', form: hex", "31: error: `payload` needs a payload; found what its variables make of it, expected an even number of hexadecimal digits"),
        ("regex-replace, pattern: '[z-${LONG}]'", "38: error: `pattern` needs an expression; found what its variables make of it, expected one that can be read"),
    ])
    func variables(fault: String, said: String) throws {
        do throws(ConfigurationErrors) {
            let environment = ["EMPTY": "", "SHORT": "abc", "LONG": "canary"]
            let text = "miswire: 1\nname: t\nfaults:\n  - { fault: \(fault) }\n"
            _ = try ProfileLoader.parse(text: text, file: "p.yaml", environment: environment)
            Issue.record("nothing is said")
        } catch {
            #expect(error.errors.map(\.plain) == ["p.yaml:4:" + said])
            #expect(!error.errors.flatMap(\.block).contains { $0.text.contains("canary") })
        }
    }

    /// What a profile that extends another may not say.
    @Test(arguments: [
        ("  - { id: a, fault: drop }\n  - { id: a, off: true }\n", "5:11: error: two faults are called `a`; again here; give it another id"),
        ("  - { id: b, off: true }\n", "4:11: error: there is no fault `b` to take away; known: a"),
        ("  - { id: a, off: maybe }\n", "4:19: error: `off` needs `true`; found \"maybe\", leave it out to keep the fault"),
        ("  - { id: a, off: true, when: { to: client } }\n", "4:25: error: `off` takes `a` away, so that `when` says nothing; leave one of the two out"),
    ])
    func extending(faults: String, said: String) throws {
        let base = "miswire: 1\nname: base\nfaults: [{ id: a, fault: delay }]\n"
        let mine = "miswire: 1\nname: t\nfaults:\n" + faults
        let whole = mine + "extends: base\n# miswire: extended profile base.yaml\n" + base
        do throws(ConfigurationErrors) {
            _ = try ProfileLoader.parse(text: whole, file: "p.yaml", environment: [:])
            Issue.record("nothing is said")
        } catch {
            #expect(error.errors.map { String($0.plain.dropFirst("p.yaml:".count)) } == [said])
        }
    }
}
