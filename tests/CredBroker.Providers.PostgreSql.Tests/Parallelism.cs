// Most of these tests wait for a real server's clock.
[assembly: LevelOfParallelism(12)]
