package import NIOCore
package import Wire

/// Where credentials usually stand, for use without a contract; the redactor also asks it beside every contract. Fields
/// that always hold credentials are secrets whatever they say: Authorization, Proxy-Authorization, Cookie, Set-Cookie,
/// and headers, query keys and subprotocols whose name says so (trust.md T34).
package struct StandardSecrets: SecretFinder {
    package init() {}

    package var verificationKey: [UInt8]? { nil }
    package var expectsJWT: Bool { false }

    package func secrets(inRequest head: HeadView) -> [FoundSecret] {
        var found: [FoundSecret] = []
        for field in head.fields { found += secrets(in: field, head) }
        if let target = head.target { found += secrets(inQueryOf: target, head) }
        for item in head.cookies where !item.value.isEmpty {
            found.append(
                FoundSecret(
                    place: "cookie \(item.name)", value: head.text(item.value), range: item.value,
                    isCredential: CredentialWords.name(item.name)))
        }
        return found + subprotocols(head)
    }

    package func secrets(inResponse head: HeadView) -> [FoundSecret] {
        var found: [FoundSecret] = []
        for field in head.fields {
            if field.name == "set-cookie" {
                if let secret = cookie(set: field, head) { found.append(secret) }
            } else {
                found += secrets(in: field, head)
            }
        }
        return found + subprotocols(head)
    }

    package func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] { [] }

    /// The subject of the first JWT.
    package func users(inRequest head: HeadView, credential: FoundSecret?) -> [String] {
        credential.flatMap { JWT.first(in: $0.value)?.subject }.map { [$0] } ?? []
    }
    package func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? {
        JWT.first(in: credential.value)?.subject
    }

    private func secrets(inQueryOf address: Range<Int>, _ head: HeadView) -> [FoundSecret] {
        head.query(of: address).filter { CredentialWords.name($0.name) && !$0.value.isEmpty }.map { item in
            FoundSecret(
                place: "query \(item.name)", value: HeadView.percentDecoded(head.text(item.value)), range: item.value,
                isCredential: true)
        }
    }

    /// Fields that hold an address, whose query may hold a credential.
    private static let addresses: Set<String> = ["location", "content-location", "referer"]

    private func secrets(in field: HeadView.Field, _ head: HeadView) -> [FoundSecret] {
        if Self.addresses.contains(field.name) { return secrets(inQueryOf: field.value, head) }
        guard !["cookie", "sec-websocket-protocol"].contains(field.name), !field.value.isEmpty,
            CredentialWords.header(field.name)
        else { return [] }
        let range = Self.withoutScheme(field.value, head)
        guard !range.isEmpty else { return [] }
        return [
            FoundSecret(
                place: "header \(field.name)", value: head.text(range), range: range,
                isCredential: !field.name.hasPrefix("proxy-"))
        ]
    }

    /// `Bearer abc` is the secret `abc`: the same token elsewhere gets the same tag.
    package static func withoutScheme(_ range: Range<Int>, _ head: HeadView) -> Range<Int> {
        guard let blank = head.bytes[range].firstIndex(of: 0x20) else { return range }
        guard CredentialWords.scheme(head.text(range.lowerBound..<blank)) else { return range }
        let start = head.bytes[blank..<range.upperBound].firstIndex { $0 != 0x20 } ?? range.upperBound
        return start..<range.upperBound
    }

    private func cookie(set field: HeadView.Field, _ head: HeadView) -> FoundSecret? {
        let end = head.bytes[field.value].firstIndex(of: 0x3b) ?? field.value.upperBound
        let start = head.bytes[field.value.lowerBound..<end].firstIndex(of: 0x3d).map { $0 + 1 } ?? field.value.lowerBound
        guard start < end else { return nil }
        return FoundSecret(
            place: "header set-cookie", value: head.text(start..<end), range: start..<end, isCredential: false)
    }

    /// `bearer, TOKEN` and `access_token.TOKEN` forms: an element behind a credential word, or the rest of one that
    /// begins with it; and what is too long and too mixed for a protocol's name.
    private func subprotocols(_ head: HeadView) -> [FoundSecret] {
        var found: [FoundSecret] = []
        var isAnnounced = false
        for element in head.subprotocols {
            let text = head.text(element)
            var secret: Range<Int>?
            if isAnnounced {
                secret = element
            } else if let dot = head.bytes[element].firstIndex(of: 0x2e),
                CredentialWords.name(head.text(element.lowerBound..<dot)), dot + 1 < element.upperBound
            {
                secret = (dot + 1)..<element.upperBound
            } else if looksRandom(text) {
                secret = element
            }
            if let secret {
                found.append(
                    FoundSecret(place: "subprotocol", value: head.text(secret), range: secret, isCredential: true))
            }
            isAnnounced = secret == nil && CredentialWords.name(text) && text.utf8.count <= 24
        }
        return found
    }

    private func looksRandom(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.count >= 24, !bytes.contains(0x2f), !bytes.contains(0x3a) else { return false }
        let digits = bytes.count { 0x30...0x39 ~= $0 }
        let letters = bytes.count { 0x41...0x5a ~= ($0 & 0xdf) }
        let marks = bytes.count - digits - letters
        return digits >= 3 && letters >= 3 && marks * 8 <= bytes.count
    }
}
