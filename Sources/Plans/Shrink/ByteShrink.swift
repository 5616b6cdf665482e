import Wire

/// Smaller texts, bytes and frames, one change a proposal.
enum ByteShrink {
    static func proposals(_ plan: Plan) -> [Plan] {
        plan.steps.indices.flatMap { index -> [Plan] in
            switch plan.steps[index].verb {
            case .sendText(let text): halves(text).map { plan.replacing(index, .sendText($0)) }
            case .sendBytes(let bytes):
                halves(bytes).filter { !$0.isEmpty }.map { plan.replacing(index, .sendBytes($0)) }
            case .frames(let frames): self.frames(frames).map { plan.replacing(index, .frames($0)) }
            case .close(let code, let reason) where !reason.isEmpty:
                [plan.replacing(index, .close(code: code, reason: ""))]
            case .connect(let path, let name, let headers):
                path.firstIndex(of: "?").map { mark in
                    [plan.replacing(index, .connect(path: String(path[..<mark]), as: name, headers: headers))]
                } ?? []
            default: []
            }
        }
    }

    private static func halves(_ text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        return halves(scalars).map { half in
            var view = String.UnicodeScalarView()
            view.append(contentsOf: half)
            return String(view)
        }
    }

    /// Nothing, either half, all but the last, all but the first.
    private static func halves<Element>(_ all: [Element]) -> [[Element]] {
        guard !all.isEmpty else { return [] }
        let half = all.count / 2
        return [[], Array(all.prefix(half)), Array(all.suffix(half)), Array(all.dropLast()), Array(all.dropFirst())]
    }

    private static func frames(_ frames: [Plan.FrameText]) -> [[Plan.FrameText]] {
        var proposals: [[Plan.FrameText]] = []
        if frames.count > 1 {
            proposals += [Array(frames.prefix(frames.count / 2)), Array(frames.suffix(frames.count / 2))]
            proposals += frames.indices.prefix(64).map { gone in frames.indices.filter { $0 != gone }.map { frames[$0] }
            }
        }
        for index in frames.indices.prefix(64) {
            for smaller in smaller(frames[index]) {
                var changed = frames
                changed[index] = smaller
                proposals.append(changed)
            }
        }
        return proposals
    }

    private static func smaller(_ frame: Plan.FrameText) -> [Plan.FrameText] {
        var proposals: [Plan.FrameText] = []
        func propose(_ change: (inout Plan.FrameText) -> Void) {
            var changed = frame
            change(&changed)
            if changed != frame { proposals.append(changed) }
        }
        propose { $0.length = nil }
        propose { $0.mask = .drawn }
        propose { $0.rsv = 0 }
        propose { $0.fin = true }
        switch frame.payload {
        case .text(let text): for half in halves(text) { propose { $0.payload = .text(half) } }
        case .bytes(let bytes): for half in halves(bytes) { propose { $0.payload = .bytes(half) } }
        }
        return proposals
    }
}
