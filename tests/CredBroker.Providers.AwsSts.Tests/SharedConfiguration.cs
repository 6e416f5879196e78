using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>Where this process's user keeps AWS's shared configuration: in an empty folder, from the start, since the SDK asks for the place only once.</summary>
[SetUpFixture]
public sealed class SharedConfiguration
{
    public static string Folder { get; private set; } = "";

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries", Justification = "Looking for tests asks the SDK before any test is set up.")]
    internal static void Initialize()
    {
        Folder = Directory.CreateTempSubdirectory("aws-shared-").FullName;
        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", Path.Combine(Folder, "credentials"));
        Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", Path.Combine(Folder, "config"));
    }

    [OneTimeTearDown]
    public void TearDown() => Directory.Delete(Folder, recursive: true);
}
