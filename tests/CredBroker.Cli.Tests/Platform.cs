using System.Runtime.Versioning;

// Modes of files and shells: what these tests are about isn't there on Windows.
[assembly: UnsupportedOSPlatform("windows")]
