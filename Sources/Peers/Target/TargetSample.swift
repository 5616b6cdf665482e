/// What a target's processes take, all of its group together.
package struct TargetSample: Sendable, Equatable {
    /// Since the keeper began.
    package var at: Duration
    /// Resident bytes. Pages that processes of the group share count once for each.
    package var memory: UInt64
    /// The most that was ever resident, of processes that run; nil where the system does not say.
    package var peak: UInt64?
    package var descriptors: Int
    package var threads: Int
    package var processes: Int
    package init(at: Duration, memory: UInt64, peak: UInt64? = nil, descriptors: Int, threads: Int, processes: Int) {
        self.at = at
        self.memory = memory
        self.peak = peak
        self.descriptors = descriptors
        self.threads = threads
        self.processes = processes
    }
}

/// Samples since the target was started last: extremes of all of them, and a thinned series for slopes.
package struct SampleHistory: Sendable, Equatable {
    /// When so many points are kept, every second one goes and half as many are taken from then on.
    package static let most = 240

    package struct Trend: Sendable, Equatable {
        package var least: Double
        package var most: Double
        /// Change a second, by least squares over the points kept; 0 with fewer than two.
        package var slope: Double
        package init(least: Double, most: Double, slope: Double) {
            self.least = least
            self.most = most
            self.slope = slope
        }
    }

    package private(set) var points: [TargetSample] = []
    package private(set) var count = 0
    package private(set) var last: TargetSample?
    private var least: TargetSample?
    private var peak: TargetSample?
    private var stride = 1
    package init() {}

    package mutating func add(_ sample: TargetSample) {
        if count % stride == 0 {
            if points.count == Self.most {
                points = points.indices.filter { $0 % 2 == 0 }.map { points[$0] }
                stride *= 2
            }
            if count % stride == 0 { points.append(sample) }
        }
        count += 1
        last = sample
        least = Self.join(least, sample, by: { min($0, $1) })
        peak = Self.join(peak, sample, by: { max($0, $1) })
    }

    /// Bytes. Nil without a sample.
    package var memory: Trend? { trend { Double($0.memory) } }
    package var descriptors: Trend? { trend { Double($0.descriptors) } }
    package var threads: Trend? { trend { Double($0.threads) } }

    private func trend(_ value: (TargetSample) -> Double) -> Trend? {
        guard let least, let peak else { return nil }
        return Trend(least: value(least), most: value(peak), slope: slope(value))
    }

    private func slope(_ value: (TargetSample) -> Double) -> Double {
        guard points.count > 1 else { return 0 }
        let number = Double(points.count)
        let times = points.map { $0.at / .seconds(1) }
        let values = points.map(value)
        let time = times.reduce(0, +) / number
        let mean = values.reduce(0, +) / number
        var both = 0.0
        var square = 0.0
        for (t, v) in zip(times, values) {
            both += (t - time) * (v - mean)
            square += (t - time) * (t - time)
        }
        return square > 0 ? both / square : 0
    }

    private static func join(
        _ known: TargetSample?, _ sample: TargetSample, by pick: (Double, Double) -> Double
    ) -> TargetSample {
        guard let known else { return sample }
        func whole(_ a: Int, _ b: Int) -> Int { Int(exactly: pick(Double(a), Double(b))) ?? b }
        return TargetSample(
            at: sample.at, memory: UInt64(exactly: pick(Double(known.memory), Double(sample.memory))) ?? sample.memory,
            descriptors: whole(known.descriptors, sample.descriptors), threads: whole(known.threads, sample.threads),
            processes: whole(known.processes, sample.processes))
    }
}
