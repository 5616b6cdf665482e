import Plans

/// Reads what it is given as a plan; what can be read is printed, and reads the same.
enum PlanCheck {
    static func run(_ bytes: [UInt8]) {
        do throws(PlanErrors) {
            let plan = try PlanText.parse(String(decoding: bytes, as: UTF8.self))
            let text = PlanText.print(plan)
            do throws(PlanErrors) {
                let again = try PlanText.parse(text)
                demand(again == plan, "printed and read again it is another plan: \(text)")
                demand(PlanText.print(again) == text, "printed again it is another text: \(text)")
            } catch { fail("a plan that was printed cannot be read: \(error)\n\(text)") }
        } catch {
            demand(!error.errors.isEmpty, "a plan is refused without a reason")
            for one in error.errors { demand(one.line > 0 && one.column > 0, "an error has no place: \(one)") }
        }
    }
}
