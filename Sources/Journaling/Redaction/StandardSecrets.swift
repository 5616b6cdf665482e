package import NIOCore
package import Wire

/// Where credentials usually stand, for use without a contract.
package struct StandardSecrets: SecretFinder {
    package init() {}
    package func secrets(inRequest head: HeadView) -> [FoundSecret] { [] }
    package func secrets(inResponse head: HeadView) -> [FoundSecret] { [] }
    package func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] { [] }
    package func user(inRequest head: HeadView, credential: FoundSecret?) -> String? { nil }
    package func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? { nil }
    package var verificationKey: [UInt8]? { nil }
    package var expectsJWT: Bool { false }
}
