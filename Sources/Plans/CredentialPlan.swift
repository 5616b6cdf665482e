/// Where a user's credential travels and whether it is a good one: `header`, `query forged`, `none`.
package struct CredentialPlan: Sendable, Hashable {
    package enum Place: String, Sendable, Hashable, CaseIterable { case header, query, cookie, subprotocol, none }
    package enum Variant: String, Sendable, Hashable, CaseIterable {
        /// Signed with the contract's key, in date.
        case intact
        /// Signed with another key.
        case forged
        /// Its time was over an hour ago.
        case expired
        /// The signature's last characters are gone.
        case corrupt
        /// Signed and in date, for the first 3 s of the play.
        case brief
    }
    package var place: Place
    package var variant: Variant

    static let remedy = "expected header, query, cookie, subprotocol or none; then nothing, forged, expired, corrupt or brief"

    init?(_ place: String, variant: String?) {
        guard let place = Place(rawValue: place), let variant = Variant(rawValue: variant ?? "intact") else {
            return nil
        }
        self.place = place
        self.variant = variant
    }

    /// Reads `Plan.User.credential`.
    package init?(_ text: String) {
        let words = text.split(separator: " ").map { String($0) }
        guard let place = words.first, words.count <= 2 else { return nil }
        self.init(place, variant: words.count == 2 ? words[1] : nil)
    }

    package var text: String { variant == .intact ? place.rawValue : "\(place.rawValue) \(variant.rawValue)" }
}
