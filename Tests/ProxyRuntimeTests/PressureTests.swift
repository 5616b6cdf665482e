import Testing

@testable import ProxyRuntime

@Suite struct PressureTests {
    @Test func readsWhatTheKernelWrites() {
        let pressure = "some avg10=80.42 avg60=49.81 avg300=57.35 total=1810420891\nfull avg10=0.00 total=7\n"
        #expect(Pressure.number(after: "total=", in: pressure) == 1_810_420_891)
        #expect(Pressure.number(after: "total=", in: "some avg10=1 total=x") == nil)
        #expect(Pressure.ticks(in: "cpu  771438 5620 106251 1973930 16490\ncpu0 1 2 3 4\n") == [771_438, 5_620, 106_251, 1_973_930, 16_490])
        #expect(Pressure.ticks(in: "") == [])
        #expect(Pressure.runnable(in: "0.20 0.18 0.12 3/80 11206\n") == 3)
        #expect(Pressure.runnable(in: "0.20") == nil)
    }

    /// Four busy loops and two threads of ours on two processors: each waits for two thirds of the time.
    @Test(arguments: [(6, 2, 200), (4, 2, 150), (3, 2, 100), (1, 2, 100), (80, 64, 48)] as [(Int, Int, UInt64)])
    func lostTime(runnable: Int, processors: Int, lost: UInt64) {
        #expect(Pressure.lost(of: 300, runnable: runnable, processors: processors) == lost)
        #expect(Pressure.lost(of: 0, runnable: runnable, processors: processors) == 0)
    }

    @Test func neverMoreThanTheSpan() {
        var pressure = Pressure()
        for milliseconds in [0, 1, 100] {
            #expect(pressure.sample(span: .milliseconds(milliseconds)) <= UInt64(milliseconds) * 1_000_000)
        }
    }
}
