/// Every mutator, one line each, by level.
package enum MutatorRegistry {
    package static let all: [any Mutator.Type] = handshake + frame + message + session + schedule

    static let handshake: [any Mutator.Type] = [
        CredentialDrop.self,
        CredentialCorrupt.self,
        CredentialForge.self,
        CredentialExpire.self,
        CredentialSwap.self,
        CredentialDouble.self,
        CredentialPlace.self,
        OriginField.self,
        VersionField.self,
        UpgradeTokens.self,
        KeyField.self,
        SubprotocolOffer.self,
        ExtensionOffer.self,
        HeaderCount.self,
        HeaderSize.self,
        HeaderForm.self,
        PathForm.self,
    ]
    static let frame: [any Mutator.Type] = [
        BitFlip.self,
        ReservedOpcode.self,
        ReservedBits.self,
        DeflateUnasked.self,
        FinBit.self,
        MaskBit.self,
        LengthField.self,
        Fragment.self,
        SplitCharacter.self,
        InterleavedData.self,
        ControlForm.self,
        ControlLegal.self,
        CloseCode.self,
        CloseForm.self,
        InvalidUTF8.self,
        BinaryMessage.self,
        EmptyMessage.self,
        EarlyFrames.self,
    ]
    static let message: [any Mutator.Type] = []
    static let session: [any Mutator.Type] = [
        StepDrop.self,
        StepDuplicate.self,
        StepReorder.self,
        StepInsert.self,
        StepSplice.self,
        SendEarly.self,
        CancelRun.self,
        DoubleSubmit.self,
        Reconnect.self,
        CutConnection.self,
        UseAfterEnd.self,
        CloseAndGoOn.self,
        SecondConnection.self,
        SlowReader.self,
        Bystander.self,
    ]
    static let schedule: [any Mutator.Type] = [
        Interleave.self,
        Barrier.self,
        Delay.self,
        MoreUsers.self,
        FaultAdd.self,
        FaultChange.self,
        FaultRemove.self,
    ]
}
