/// Names that usually stand before a credential, for traffic that no contract describes.
enum CredentialWords {
    /// Any name that contains one of these.
    private static let parts = [
        "token", "secret", "passw", "credential", "apikey", "api_key", "api-key", "jwt", "bearer", "authorization",
        "session", "signature",
    ].map { Array($0.utf8) }
    /// Names that are one of these.
    private static let whole: Set<String> = ["key", "auth", "sig", "sid", "ticket", "pwd", "code", "otp", "pin"]

    /// Headers of the upgrade whose names contain such words and that hold no secret.
    private static let harmless: Set<String> = ["sec-websocket-key", "sec-websocket-accept"]

    static func name(_ name: String) -> Bool {
        let name = name.lowercased()
        return whole.contains(name) || hasPart(Array(name.utf8))
    }

    /// Byte by byte: a peer's head may have thousands of fields, and a search of the library costs as much as it was made for
    /// whole texts.
    private static func hasPart(_ name: [UInt8]) -> Bool {
        name.indices.contains { start in
            parts.contains { $0.first == name[start] && name[start...].starts(with: $0) }
        }
    }

    static func header(_ name: String) -> Bool { !harmless.contains(name) && self.name(name) }

    /// `Bearer`, `Basic` and the like: what stands before the blank in an `Authorization` field (RFC 9110 section 11.4).
    static func scheme(_ text: some StringProtocol) -> Bool {
        ["bearer", "basic", "digest", "token", "negotiate", "ntlm", "apikey", "key", "jwt", "hoba", "mutual"]
            .contains(text.lowercased())
    }
}
