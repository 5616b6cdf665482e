import Contracts
import Testing
import Wire

@Suite("Paths")
struct PathTests {
    private let message = """
        {"a":{"b":1,"odd.name":2},"list":[{"id":"x"},{"id":"y"},{}],"nothing":null,"deep":{"ts":1,"in":[{"ts":2}]},
         "text":"{\\"k\\":[7]}","b64":"aGk_aGk","up":"ABC","lines":"a:1\\nb: 2\\na:3",
         "token":"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSIsIm4iOjF9.c2ln"}
        """

    @Test(arguments: [
        ("a.b", "[1]"), ("a[\"odd.name\"]", "[2]"), ("list[0].id", "[\"x\"]"), ("list[-1]", "[{}]"),
        ("list[-3].id", "[\"x\"]"), ("list[-4].id", "[]"), ("list[3]", "[]"), ("list[*].id", "[\"x\",\"y\"]"),
        ("nothing", "[]"), ("absent", "[]"), ("a.b.c", "[]"), ("..ts", "[1,2]"), ("deep..ts", "[1,2]"),
        ("text|json.k[0]", "[7]"), ("b64|base64", "[\"hi?hi\"]"), ("up|lower", "[\"abc\"]"), ("lines|lines.b", "[\" 2\"]"),
        ("lines|lines.a", "[\"1\"]"), ("token|jwt.sub", "[\"u1\"]"), ("token|jwt", "[{\"sub\":\"u1\",\"n\":1}]"),
        ("up|json", "[]"), ("a|jwt", "[]"), ("a.b + up", "[[1,\"ABC\"]]"), ("absent + up", "[[null,\"ABC\"]]"),
        ("absent + nothing", "[]"), ("a.b|lower", "[]"), ("list[*]", "[{\"id\":\"x\"},{\"id\":\"y\"},{}]"),
    ])
    func yields(path: String, expected: String) throws {
        let message = try JSON.parse(self.message)
        let path = try Path(path, deep: true)
        #expect(JSON.array(path.values(in: message)).text == expected)
        #expect(path.value(in: message) == path.values(in: message).first)
    }

    @Test func wholeMessage() throws {
        #expect(try Path("$").value(in: .string("x")) == .string("x"))
        #expect(try Path("$[0]").value(in: .array([1])) == 1)
        #expect(try Path("[0]").value(in: .array([1])) == 1)
        #expect(try Path("$").value(in: .null) == nil)
    }

    @Test func listsTakeTheFirstThatYields() throws {
        let paths = [try Path("missing"), try Path("nothing"), try Path("up"), try Path("a.b")]
        #expect(paths.value(in: try JSON.parse(message)) == .string("ABC"))
        #expect([Path]().value(in: .null) == nil)
    }

    @Test(arguments: [
        ("a..b", "path \"a..b\": \"..\" is allowed in volatile and secrets only"),
        ("..a", "path \"..a\": \"..\" is allowed in volatile and secrets only"),
        ("", "path \"\": it is empty or ends in \"+\""), ("a +", "path \"a +\": it is empty or ends in \"+\""),
        ("a.", "path \"a.\": a name is missing at its end"), (".a", "path \".a\": it starts with a dot"),
        ("$.a", "path \"$.a\": it starts at the message already"), ("a[", "path \"a[\": \"[\" is never closed"),
        ("a[x]", "path \"a[x]\": [x] is neither a number nor *"), ("a[\"x]", "path \"a[\"x]\": [\" is never closed"),
        ("a|jsn", "path \"a|jsn\": \"|jsn\" is not a filter"), ("ä", "path \"ä\": \"ä\" is no part of a name"),
        ("a b", "path \"a b\": \"b\" is no part of a name"), ("1a", "path \"1a\": \"1\" is no part of a name"),
    ])
    func refuses(text: String, message: String) throws {
        let error = #expect(throws: PartError.self) { _ = try Path(text) }
        #expect(error?.message == message)
    }

    @Test func deepOnceOnly() {
        #expect(throws: PartError.self) { _ = try Path("..a..b", deep: true) }
    }

    @Test func tokenIsTheFirstOfThreePartsWithAnObjectInFront() throws {
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MiJ9."
        let path = try Path("$|jwt.sub")
        #expect(path.value(in: .string("token.\(token)")) == .string("u2"))
        #expect(path.value(in: .string("a.b.c, \(token)")) == .string("u2"))
        #expect(path.value(in: .string("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MiJ9")) == nil)
        #expect(path.value(in: .string("W10.eyJzdWIiOiJ1MiJ9.x")) == nil)
        #expect(path.value(in: .string("")) == nil)
    }

    @Test func nestingOfTheMessageIsNoBurden() throws {
        let depth = 120
        let text = String(repeating: "[", count: depth) + "{\"ts\":1}" + String(repeating: "]", count: depth)
        #expect(try Path("..ts", deep: true).values(in: try JSON.parse(text)) == [1])
    }
}

@Suite("Places")
struct PlaceTests {
    @Test func kinds() throws {
        #expect(try Place("header Authorization").kind == .header("authorization"))
        #expect(try Place("query token").kind == .query("token"))
        #expect(try Place("cookie sid").kind == .cookie("sid"))
        #expect(try Place("subprotocol").kind == .subprotocol(nil))
        #expect(try Place("subprotocol openai.*").kind == .subprotocol(Glob("openai.*")))
        #expect(try Place("path /chat/*").kind == .path(Glob("/chat/*")))
        #expect(try Place("request auth token").kind == .request(name: "auth", try Path("token")))
        #expect(try Place("event connected user.id").kind == .event(name: "connected", try Path("user.id")))
        #expect(try Place("credential|jwt.sub").kind == .credential)
        #expect(try Place("user_id").kind == .everyEvent(try Path("user_id")))
        #expect(try Place("a + b").kind == .everyEvent(try Path("a + b")))
    }

    @Test func filters() throws {
        let place = try Place("header authorization|jwt.sub")
        #expect(place.expectsToken)
        #expect(place.value(of: "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln") == .string("u1"))
        #expect(place.value(of: "Bearer nonsense") == nil)
        #expect(try Place("query token").value(of: "abc") == .string("abc"))
        #expect(try !Place("query token").expectsToken)
    }

    @Test(arguments: ["", "header", "header a b", "hedder authorization", "request auth", "path", "credential x", "query a|nope"])
    func refuses(text: String) {
        #expect(throws: PartError.self) { _ = try Place(text) }
    }
}

@Suite("Globs")
struct GlobTests {
    @Test(arguments: [
        ("a", "a", true), ("a", "b", false), ("", "", true), ("*", "", true), ("*", "x", true), ("a*", "abc", true),
        ("*c", "abc", true), ("a*c", "ac", true), ("a*a", "a", false), ("a*b*c", "axxbyyc", true),
        ("a*b*c", "acb", false), ("/ws/**", "/ws/late", true), ("/ws/**", "/ws", false), ("*ab*ab*", "abab", true),
        ("*ab*ab*", "abb", false), ("*aab", "aaab", true), ("é*", "éa", true),
    ])
    func matching(glob: String, text: String, expected: Bool) {
        #expect(Glob(glob).matches(text) == expected)
    }

    @Test func capture() {
        #expect(Glob("token.*").capture("token.abc") == "abc")
        #expect(Glob("a*c*e").capture("abcde") == "b")
        #expect(Glob("*").capture("abc") == "abc")
        #expect(Glob("a*").capture("b") == nil)
        #expect(Glob("a*").capture("a") == "")
    }

    @Test func staysFastOnHostileText() {
        let text = String(repeating: "a", count: 1 << 20)
        #expect(!Glob("*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab*aaab*").matches(text))
    }
}
