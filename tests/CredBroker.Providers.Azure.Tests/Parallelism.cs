// Each test has a stand-in of its own on a port of its own.
[assembly: LevelOfParallelism(4)]
