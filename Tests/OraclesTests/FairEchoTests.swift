import Journaling
import Testing
import Wire

@testable import Oracles

/// Healthy servers that repeat what they were sent as their own reading of it: most keep numbers as IEEE doubles.
@Suite struct FairEchoTests {
    /// What was sent, and how some server writes it again.
    @Test(arguments: [
        ("1e-400", "0"), ("-1e400", "-Infinity"), ("1e400", "null"), ("9007199254740993", "9007199254740992"), ("1.0", "1"),
        ("0.10000000000000000001", "0.1"),
    ])
    func aNumberComesBackRounded(sent: String, back: String) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"invalid_type","user_id":\#(sent)}"#, at: 10)
            story.event(1, #"{"type":"error","error":"message_processing_error","message":"no","timestamp":1,"user_id":\#(back)}"#, at: 11)
            story.send(1, #"{"type":"invalid_type","user_id":[[\#(sent)]]}"#, at: 15)
            story.event(1, #"{"type":"error","error":"message_processing_error","message":"no","timestamp":1,"user_id":[[\#(back)]]}"#, at: 16)
            story.send(1, #"{"type":"invalid_type","request_id":{"x":[\#(sent)]}}"#, at: 20)
            story.event(1, #"{"type":"error","error":"message_processing_error","message":"no","timestamp":1,"request_id":{"x":[\#(back)]}}"#, at: 21)
            story.ticks(from: 22, to: 9_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A token was cut out wherever it stood, and its user's thread, or the request's own name, said the same.
    @Test func whatWasCutOutMayComeBack() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 0)
            for (session, user) in [(1, "alice"), (2, "bob")] {
                let at = Double(session) * 10
                let rest = #""token":"‹secret:0a›","thread_id":"‹secret:0a›","request_id":"‹secret:0a›""#
                story.send(session, #"{"type":"invalid_type",\#(rest)}"#, at: at)
                story.event(
                    session, Say.error("authentication_error", user: user, more: #","thread_id":"x","request_id":"x""#), at: at + 1)
            }
            story.ticks(from: 22, to: 9_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// Where parsers differ, one may well have read it: the first of two members, what lies deeper than we look, what stands
    /// before a text breaks off.
    @Test func whatOnlySomeParsersReadMayComeBack() {
        let deep = String(repeating: #"{"x":"#, count: 140) + "1" + String(repeating: "}", count: 140)
        for text in [
            #"{"type":"agent_started","user_id":"zoe","user_id":"alice","request_id":"q"}"#,
            #"{"x":\#(deep),"type":"agent_started","user_id":"zoe"}"#, #"{"user_id":"zoe","type":"agent_started"} {"#,
            #"{"user_id":"zoe","type":"#, #"{"user_id":NaN,"id":"zoe","user_id":"zoe"}"#,
        ] {
            let judgement = judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, text, at: 10)
                story.event(1, Say.error("message_processing_error", user: "zoe"), at: 11)
            }
            #expect(judgement.sentences.isEmpty, "\(text)")
        }
    }

    /// Whose a thread is may be asked before anything else, and who never heard of it may call it another's.
    @Test func anUnknownThreadMayBeRefusedFirst() {
        func told(_ more: String) -> [String] {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, #"{"type":"invalid_type"\#(more)}"#, at: 10)
                story.event(1, Say.error("authentication_error", user: "alice"), at: 11)
            }.heads
        }
        #expect(told(#","thread_id":"""#).isEmpty && told(#","thread_id":"t9""#).isEmpty)
        #expect(told("").map { String($0.prefix(2)) } == ["E5"])
    }
}
