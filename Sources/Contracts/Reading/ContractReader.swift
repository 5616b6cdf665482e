package import Journaling

/// Reads a contract from a value tree (contract.md, version 1) and says everything that is wrong with it at once.
/// `extends` must have been followed before: see `Document.extended(by:)`.
package struct ContractReader {
    var contract: Contract
    package private(set) var problems: [ConfigurationError] = []
    private var errorCount = 0
    private var warningCount = 0
    let document: Document
    /// Declared messages, once they are read.
    var eventNames = KnownNames([])
    var requestNames = KnownNames([])
    var runNames = KnownNames([])
    /// Examples that are still held against what they are examples of.
    var examplesLeft = 256
    /// The newest version of the language that this program reads.
    package static let version = 1

    package init(_ document: Document) {
        self.document = document
        contract = Contract(name: "")
    }

    /// The contract as far as it could be read: to be used only when no problem is an error.
    package mutating func read() -> Contract {
        let fields = mapping(document, .contract)
        readHead(fields)
        if let file = text(fields["import"], "import"), let mark = fields["import"]?.mark {
            contract.imported = ImportRule(file: file, line: line(mark))
        }
        readWire(fields["wire"])
        readIdentity(fields["identity"])
        if let deadline = duration(fields["deadline"], "deadline") { contract.deadline = deadline }
        readMessages(fields)
        readAuth(fields["auth"])
        readSession(fields["session"])
        contract.link = items(fields["link"], "link").compactMap { linkPath($0) }
        readErrors(fields["errors"])
        readRuns(fields["runs"])
        readReject(fields["reject"])
        readDelivery(fields["delivery"])
        readSharing(fields["sharing"])
        contract.volatile = paths(fields["volatile"], "volatile", deep: true)
        contract.secrets = places(fields["secrets"], "secrets", deep: true)
        readFlows(fields["flows"])
        readHealth(fields["health"])
        contract.dictionary = texts(fields["dictionary"], "dictionary")
        readMonitors(fields["monitors"])
        if let success = fields["success"] { contract.declaredSuccess = messageNames(success, "success") }
        contract.success = successes()
        checkRecognition()
        checkPlaces()
        checkContainment()
        checkForms()
        checkStates()
        checkRules()
        checkFlows()
        checkUnused()
        return contract
    }

    private mutating func readHead(_ fields: [String: Document]) {
        readVersion()
        if let name = text(fields["name"], "name") {
            contract.name = name
            if !Self.isName(name), let mark = fields["name"]?.mark {
                fail(mark, "name \"\(name)\" is not a name", remedy: "write letters, digits, dots and dashes")
            }
        } else if fields["name"] == nil, document.map != nil {
            fail(document.mark, "name is missing", remedy: "write name: NAME below miswire-contract")
        }
        contract.about = text(fields["about"], "about") ?? ""
    }

    private mutating func readVersion() {
        guard let fields = document.map else { return }
        guard let first = fields.first(where: { $0.key == "miswire-contract" }) else {
            return fail(document.mark, "miswire-contract is missing", remedy: "write miswire-contract: 1 as the first line")
        }
        guard let version = first.value.scalar?.integer, version >= 1 else {
            return fail(
                first.value.mark, "miswire-contract needs a version",
                remedy: "found \(first.value.found), write miswire-contract: 1")
        }
        if version > Self.version {
            fail(first.value.mark, "miswire-contract: \(version) is newer than this program (\(Self.version))")
        } else if fields.first?.key != "miswire-contract" {
            fail(first.mark, "miswire-contract must be the first key", remedy: "move it to the top")
        }
    }

    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Of a hostile file's complaints, more than anybody reads are not kept.
    static let most = 100

    var hasFailed: Bool { errorCount > 0 }
    var isFull: Bool { errorCount > Self.most }

    mutating func fail(_ mark: Mark, _ message: String, remedy: String = "") {
        errorCount += 1
        guard errorCount <= Self.most else { return }
        problems.append(ConfigurationError(at: mark, message, remedy: remedy))
    }

    mutating func fail(_ mark: Mark, _ error: PartError) { fail(mark, error.message, remedy: error.remedy ?? "") }

    mutating func warn(_ mark: Mark, _ message: String, remedy: String = "") {
        warningCount += 1
        guard warningCount <= Self.most else { return }
        problems.append(ConfigurationError(.warning, at: mark, message, remedy: remedy))
    }

    /// `agent-chat.yaml:88`, for evidence.
    func line(_ mark: Mark) -> Line {
        let name = mark.file.split(separator: "/").last.map(String.init) ?? mark.file
        return Line(file: name, number: mark.line)
    }
}
