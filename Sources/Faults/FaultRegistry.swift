/// Every fault that a profile can name. A new fault is its file and one line here.
package enum FaultRegistry {
    package static let all: [any Fault.Type] = [
        AcceptDelay.self,
        EarlyFrames.self,
        Refuse.self,
        HandshakeMutate.self,
        DropAuth.self,
        OfferDeflate.self,
        Announce.self,
        Drop.self,
        JSONMutate.self,
        Duplicate.self,
        Delay.self,
        Reorder.self,
        ReplayStale.self,
        Replace.self,
        Inject.self,
        Truncate.self,
        Retype.self,
        Oversize.self,
        RegexReplace.self,
        CorruptID.self,
        BitFlip.self,
        OpcodeFault.self,
        ReservedBits.self,
        FinFault.self,
        MaskFault.self,
        LengthFault.self,
        Fragment.self,
        Defragment.self,
        Interleave.self,
        ControlFault.self,
        CloseFault.self,
        InvalidUTF8.self,
        DeflateFault.self,
        CrossStreams.self,
        Cut.self,
        Latency.self,
        Bandwidth.self,
        SlowClose.self,
        Timeout.self,
        ResetPeer.self,
        Slicer.self,
        LimitData.self,
        HalfClose.self,
        StallReads.self,
        Blackhole.self,
        Chop.self,
        Coalesce.self,
        Down.self,
        TLSCertificate.self,
        TLSStall.self,
        TLSVersionFault.self,
        TLSCorrupt.self,
        TLSTruncate.self,
    ]

    package static func kind(_ name: String) -> (any Fault.Type)? { all.first { $0.name == name } }

    /// - Throws: `SettingsError` with the offending parameter. Nil when no fault has that name.
    package static func make(_ name: String, _ settings: Settings) throws(SettingsError) -> (any Fault)? {
        guard let kind = kind(name) else { return nil }
        return try kind.init(settings)
    }
}
