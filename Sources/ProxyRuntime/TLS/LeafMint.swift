import Crypto
import Faults
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// Makes certificates for the hosts that clients ask for, each once, and forgets the least recently used beyond 1,000
/// (trust.md T4). Their common key lives as long as this process and is written nowhere.
final class LeafMint: Sendable {
    static let most = 1_000
    /// A leaf with less left than this is made anew.
    static let margin: Int64 = 86_400

    struct Leaf: Sendable {
        var chain: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey
        var ends: Int64
    }

    private struct Cache: Sendable {
        var leaves: [String: (leaf: Leaf, used: UInt64)] = [:]
        var uses: UInt64 = 0
        var made = 0
    }

    private let authority: Authority
    private let key: P256.Signing.PrivateKey
    private let cache = Mutex(Cache())
    /// Shown to who asks for no name: loopback, and the addresses that were configured.
    private let nameless: [String]

    init(_ authority: Authority) {
        self.authority = authority
        key = P256.Signing.PrivateKey()
        nameless = ["localhost", "127.0.0.1", "::1"] + authority.names.addresses.map(CANames.text)
    }

    /// - Parameters:
    ///   - name: the client's SNI; nil = it named nobody.
    ///   - now: seconds since 1970.
    /// - Throws: `TLSProblem` when the CA does not vouch for that name: a name is never enough to get a certificate.
    func leaf(for name: String?, flaw: TLSOrders.Flaw? = nil, at now: Int64) throws(TLSProblem) -> Leaf {
        let names = name.map { [$0.lowercased()] } ?? nameless
        let label = (flaw?.rawValue ?? "") + " " + (name?.lowercased() ?? "")
        if let found = find(label, at: now) { return found }
        // Asked even for a leaf that another signs: nobody fills the cache with names of his own.
        if let foreign = names.first(where: { !authority.names.covers($0) }) {
            throw TLSProblem(
                "the CA does not vouch for \(foreign)", expected: "one of \((["loopback"] + authority.names.words).joined(separator: ", "))",
                remedy: "miswire ca create --renew --ca-names \(PrivateDirectory.shell((authority.names.words + [foreign]).joined(separator: ",")))")
        }
        let leaf = try make(names, flaw, at: now)
        keep(leaf, as: label)
        return leaf
    }

    /// Certificates made so far.
    var made: Int { cache.withLock { $0.made } }
    var count: Int { cache.withLock { $0.leaves.count } }

    private func find(_ label: String, at now: Int64) -> Leaf? {
        cache.withLock { cache in
            guard let (leaf, _) = cache.leaves[label], leaf.ends - now > Self.margin else { return nil }
            cache.uses &+= 1
            cache.leaves[label] = (leaf, cache.uses)
            return leaf
        }
    }

    private func keep(_ leaf: Leaf, as label: String) {
        cache.withLock { cache in
            cache.uses &+= 1
            cache.made += 1
            cache.leaves[label] = (leaf, cache.uses)
            guard cache.leaves.count > Self.most, let oldest = cache.leaves.min(by: { $0.value.used < $1.value.used }) else { return }
            cache.leaves[oldest.key] = nil
        }
    }

    private func make(_ names: [String], _ flaw: TLSOrders.Flaw?, at now: Int64) throws(TLSProblem) -> Leaf {
        var terms = Authority.LeafTerms.ordinary(names, at: now)
        var signer = authority
        var chain: [Certificate] = []
        switch flaw {
        case nil: break
        case .expired:
            terms.begin = now - 30 * 86_400
            terms.end = now - 86_400
        case .notYetValid:
            terms.begin = now + 86_400
            terms.end = now + 8 * 86_400
        case .wrongHost: terms.names = ["wrong-host.localhost"]
        case .selfSigned: terms.isSelfSigned = true
        case .unknownCA:
            // As any CA that is not in the client's list: made for this certificate and forgotten with it.
            signer = try Authority(names: authority.names, at: now)
            chain = [signer.certificate]
        }
        chain.insert(try signer.leaf(terms, for: key), at: 0)
        do {
            return Leaf(
                chain: try chain.map { certificate in
                    var coder = DER.Serializer()
                    try coder.serialize(certificate)
                    return try NIOSSLCertificate(bytes: coder.serializedBytes, format: .der)
                },
                key: try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der),
                // A flawed one is as good tomorrow as it is today, but its dates must stay what they are called.
                ends: flaw == nil ? min(terms.end, signer.ends) : now + 2 * Self.margin)
        } catch { throw TLSProblem("a certificate cannot be used", found: "\(error)") }
    }
}
