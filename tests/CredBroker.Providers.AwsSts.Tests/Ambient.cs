using CredBroker.Providers.AwsSts.Login;

namespace CredBroker.Providers.AwsSts.Tests;

/// <summary>An environment of a test's own, which lets every provider use it unless it says otherwise.</summary>
internal static class Ambient
{
    public static AmbientSettings Of(params (string Name, string Value)[] variables)
    {
        var all = variables.ToDictionary(variable => variable.Name, variable => variable.Value);
        all.TryAdd(AmbientSettings.AllowVariable, "*");
        return new AmbientSettings(all.GetValueOrDefault, (file, _) => all.TryGetValue($"file:{file}", out var text) ? Task.FromResult(text) : throw new FileNotFoundException());
    }
}
