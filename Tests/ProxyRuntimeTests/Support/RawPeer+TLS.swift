import NIOCore
import NIOSSL
import SwiftASN1
import Testing
import X509

@testable import ProxyRuntime

extension RawPeer {
    /// TLS on what is a connection already.
    func beginTLS(_ context: NIOSSLContext, name: String?) async throws {
        let channel = try channel
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: name), position: .first)
        }.get()
    }

    /// The addresses that the certificate which it was shown is for.
    func shownNames() async throws -> [[UInt8]] {
        let channel = try channel
        let bytes = try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: NIOSSLHandler.self).peerCertificate?.toDERBytes()
        }.get()
        let names = try Certificate(derEncoded: try #require(bytes)).extensions.subjectAlternativeNames
        return (names ?? SubjectAlternativeNames([])).compactMap { if case .ipAddress(let address) = $0 { Array(address.bytes) } else { nil } }
    }
}
