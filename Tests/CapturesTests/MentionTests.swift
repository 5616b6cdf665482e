import Testing

@testable import Captures

/// Where a user is named, in whatever form, and where only part of another word looks like it.
@Suite struct MentionTests {
    @Test func namesAreWords() {
        let mentions = Mentions(words: ["bob"])
        for text in ["bob", "Bob", "to bob.", "bob-7", "\"bob\"", "x=%62ob", #"\u0062ob"#, "bob_1"] { #expect(mentions.isIn(text), "\(text)") }
        for text in ["", "bobby", "kebob", "b ob", "bob2", "2bob"] { #expect(!mentions.isIn(text), "\(text)") }
        #expect(mentions.replaced(in: "bob, bobby and BOB") == "forgotten, bobby and forgotten")
        #expect(mentions.replaced(in: "a %62ob") == "")
    }

    /// What a name looks like inside another text, and inside a text that is quoted there.
    @Test(arguments: [
        #""hi\nbob""#, #""hi\tbob""#, #"{\"to\":\"\\u0062ob\"}"#, #"%5Cu0062ob"#, "%2562ob", "eyJzdWIiOiJib2IifQ.x", "Ym9i", "Qk9C", "626f62", "424F42",
        "x=eyJ0byI6IlxcdTAwNjJvYiJ9",
    ]) func disguises(text: String) {
        #expect(Mentions(words: ["bob"]).isIn(text), "\(text)")
        #expect(Mentions(words: ["bob"]).replaced(in: text) != text)
        #expect(!Mentions(words: ["rob"]).isIn(text), "\(text)")
    }

    @Test(arguments: [#""bobby\nbo""#, "a626f62a", "Ym9ibw", "eyJzdWIiOiJib2JieSJ9", #"\\u0062o b"#, #"\ud83d\u0062"#, #"\u006"#])
    func othersAreNot(text: String) {
        #expect(!Mentions(words: ["bob"]).isIn(text), "\(text)")
    }

    /// Beyond 16 bits JSON needs two escapes; case is folded beyond ASCII too.
    @Test func namesOfAllLanguages() {
        let owl = Mentions(words: ["owl🦉"])
        #expect(owl.isIn(#"{"to":"owl\ud83e\udd89"}"#) && owl.isIn("owl%F0%9F%A6%89") && !owl.isIn(#""owl\ud83e\udd88""#))
        #expect(Mentions(words: ["Zoë"]).isIn("ZOË") && Mentions(words: ["ЖАН"]).isIn("от жан"))
        #expect(Mentions(words: ["Bob.Jones"]).isIn("data:Zm9yIGJvYi5qb25lcyE=") && Mentions(words: ["Bob.Jones"]).isIn("626f622e6a6f6e6573"))
    }
}
