/// Every property, in the order of the table people see. A new one costs its file and its line here.
package enum PropertyRegistry {
    package static let all: [any Property.Type] = [
        AcceptFirst.self,
        NoInjection.self,
        RunEnds.self,
        PartsPair.self,
        ErrorReaches.self,
        SuccessForInvalid.self,
        ErrorForm.self,
        ForeignContent.self,
        ForeignEvents.self,
        IdentityConsistent.self,
        NoCredential.self,
        FailsClosed.self,
        Conforms.self,
        MessageContract.self,
        NoLoss.self,
        ResumeComplete.self,
        BoundedResources.self,
        Survives.self,
        NoStarvation.self,
        StatedExpectation.self,
    ]

    /// Of violations with one cause the most specific heads the finding: by letter I A H E D C R, then as listed.
    static let specificity = [
        "I2", "I1", "I3", "I4", "A1", "H1", "H2", "D1", "D2", "E4", "E3", "E1", "E2", "E5", "C1", "C2", "R1", "R2", "R3", "X1",
    ]

    static func rank(_ id: String) -> Int { specificity.firstIndex(of: id) ?? specificity.count }
}
