package import Contracts
import Journaling
package import Plans
import Wire

/// Makes the credentials of a plan's users as the contract's `identity.mint` says, good ones and bad ones.
package struct Minter: Sendable {
    /// Taken when MISWIRE_JWT_KEY is not set.
    package static let developmentKey = Array("miswire-development-key".utf8)

    /// Seconds that a brief credential lasts.
    private static let brief: Int64 = 3

    private let contract: Contract?
    private let key: [UInt8]
    private let epoch: Int64

    /// - Parameter epoch: seconds since 1970.
    package init(contract: Contract?, key: [UInt8], epoch: Int64) {
        self.contract = contract
        self.key = key
        self.epoch = epoch
    }

    package func token(for user: String, _ variant: CredentialPlan.Variant = .intact) -> String {
        let claims = contract?.identity.mint?.claims ?? ["sub": "{user}", "exp": "{now+1h}"]
        // An hour and more ago: past whatever the claims grant from "now" on.
        let now = variant == .expired ? epoch - 48 * 3600 : epoch
        var filled = Template.fill(claims, now: now) { $0 == "user" ? .string(user) : nil }
        if variant == .brief { filled = filled.setting("exp", .number("\(epoch.addingReportingOverflow(Self.brief).partialValue)")) }
        let signing = variant == .forged ? key + Array("-of-somebody-else".utf8) : key
        let token = JWT.sign(filled, key: signing, algorithm: contract?.identity.mint?.algorithm ?? "HS256")
        return variant == .corrupt ? String(token.dropLast(6)) : token
    }

    /// The upgrade request of a user: the credential at the first place of its kind that the contract names. A header
    /// that the plan writes itself takes the place of one with its name.
    package func opening(
        host: String, path: String, credential: CredentialPlan, token: String, headers: [Plan.Header]
    ) -> ClientMachine.Opening {
        var opening = ClientMachine.Opening(host: host, target: path, headers: headers)
        // Named whatever carries the credential: a server may insist on one of them.
        opening.subprotocols = contract?.wire.subprotocols ?? []
        let kinds = (contract?.identity.credential ?? []).map(\.kind)
        switch credential.place {
        case .none: break
        case .header:
            let name = first(kinds) { if case .header(let name) = $0 { name } else { nil } } ?? "authorization"
            let isAuthorization = ASCII.equal(name, "authorization")
            opening.fields.append(
                (isAuthorization ? "Authorization" : name, isAuthorization ? "Bearer " + token : token))
        case .query:
            let name = first(kinds) { if case .query(let name) = $0 { name } else { nil } } ?? "token"
            if !path.contains("?\(name)=") && !path.contains("&\(name)=") {
                opening.target += (path.contains("?") ? "&" : "?") + "\(name)=\(token)"
            }
        case .cookie:
            let name = first(kinds) { if case .cookie(let name) = $0 { name } else { nil } } ?? "token"
            opening.fields.append(("Cookie", "\(name)=\(token)"))
        case .subprotocol:
            let glob = first(kinds) { if case .subprotocol(let glob?) = $0 { glob.text } else { nil } }
            let prefix = glob.map { String($0.prefix { $0 != "*" }) } ?? "token."
            opening.subprotocols.append(prefix + token)
        }
        return opening
    }

    private func first(_ kinds: [Place.Kind], _ read: (Place.Kind) -> String?) -> String? {
        kinds.lazy.compactMap(read).first
    }
}

extension JSON {
    /// The object with that member, in place of one of its name.
    fileprivate func setting(_ key: String, _ value: JSON) -> JSON {
        guard case .object(var members) = self else { return self }
        members.removeAll { $0.key == key }
        members.append(Member(key: key, value: value))
        return .object(members)
    }
}
