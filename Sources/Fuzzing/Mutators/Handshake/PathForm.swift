package import Journaling
package import Plans

package struct PathForm: Mutator {
    package static let name = "path"
    package static let level = MutatorLevel.handshake
    package static let summary = "The path with a slash at its end, dot segments, escapes, a query, or very long."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let actor = dice.pick(plan.actors), let path = plan.path(of: actor) else { return nil }
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let front = parts.first.map { String($0) } ?? "/"
        let query = parts.count > 1 ? "?" + parts[1] : ""
        // Our own proxy takes a first line of 8 KiB.
        let long = String(repeating: "a", count: dice.pick([255, 256, 1024, 2048, 4096, 7000]) ?? 1024)
        let forms = [
            front + "/" + query, "/" + front + query, "/." + front + query, "/x/.." + front + query,
            front + "/../.." + front + query, front + "%2f" + query, front + "%00" + query, front + ";a=b" + query,
            front + "?" + query.dropFirst(), front + "?a=b&a=c", front + "?" + long, front + "/" + long + query,
            front.uppercased() + query, escaped(front) + query, front + "?token=&token=x", front + "?a[]=1&%zz=%",
            "/" + query, "/admin", front + "/%2e%2e/" + query, front + "?cursor=-1", front + "?cursor=99999999999999999999",
        ]
        guard let form = dice.pick(forms) else { return nil }
        return Attempt(path: form).put(into: plan, in: workshop, dice: &dice)
    }

    /// The last letter as `%73`.
    private func escaped(_ path: String) -> String {
        guard let last = path.utf8.last, last < 0x80, path.utf8.count > 1 else { return path }
        return path.dropLast() + "%" + String(last, radix: 16)
    }
}
