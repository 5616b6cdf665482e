/// How a server may write down a secret: as it is, percent-encoded, and as a part of what is in base64.
enum SecretForms {
    /// Shorter ones say little enough to stand somewhere by chance.
    static let least = 16

    /// Without repetition, the secret itself first; each at least `least` bytes.
    static func all(of secret: [UInt8]) -> [[UInt8]] {
        guard secret.count >= least else { return [] }
        var forms = [secret]
        func add(_ form: [UInt8]) {
            if form.count >= least, !forms.contains(form) { forms.append(form) }
        }
        add(percent(secret, "0123456789ABCDEF"))
        add(percent(secret, "0123456789abcdef"))
        for before in 0..<3 {
            let digits = digits(of: secret, before: before)
            add(digits)
            add(digits.map { $0 == 0x2d ? 0x2b : $0 == 0x5f ? 0x2f : $0 })
        }
        return forms
    }

    /// Everything but RFC 3986's unreserved characters.
    private static func percent(_ secret: [UInt8], _ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8)
        return secret.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: [byte]
            default: [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    /// Those digits of base64url that say nothing but the secret, when so many bytes of its group stand before it.
    private static func digits(of secret: [UInt8], before: Int) -> [UInt8] {
        let all = Array(Base64URL.encode([UInt8](repeating: 0, count: before) + secret).utf8)
        let isCut = (before + secret.count) % 3 != 0
        return Array(all.dropFirst([0, 2, 3][before]).dropLast(isCut ? 1 : 0))
    }

    /// Nobody says it by chance, and it names nobody: what looks drawn by dice, of at least `least` bytes.
    package static func isUnguessable(_ secret: String, users: [String]) -> Bool {
        let bytes = Array(secret.utf8)
        guard bytes.count >= least, !users.contains(where: { isNamed(bytes, Array($0.utf8)) }) else { return false }
        if JWTShape.ranges(in: bytes).first == bytes.indices { return true }
        let digits = bytes.count { (0x30...0x39).contains($0) }
        let letters = bytes.count { (0x41...0x5a).contains($0 & 0xdf) }
        return digits >= 3 && letters >= 3 && Set(bytes).count >= 8 && (digits + letters) * 8 >= bytes.count * 7
    }

    /// One of both stands in the other.
    private static func isNamed(_ secret: [UInt8], _ user: [UInt8]) -> Bool {
        guard user.count >= 3 else { return false }
        return !Needle.ranges(of: user, in: secret).isEmpty || !Needle.ranges(of: secret, in: user).isEmpty
    }
}
