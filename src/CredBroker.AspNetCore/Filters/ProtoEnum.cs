using System.Reflection;
using Google.Protobuf.Reflection;

namespace CredBroker.AspNetCore.Filters;

/// <summary>Enum values by the names that the contract and JSON give them.</summary>
public static class ProtoEnum
{
    /// <summary>The name in the contract.</summary>
    public static string NameOf<T>(T value)
        where T : struct, Enum =>
        typeof(T).GetField(value.ToString())?.GetCustomAttribute<OriginalNameAttribute>()?.Name ?? value.ToString();

    /// <summary>The value of a name.</summary>
    public static T ValueOf<T>(string name)
        where T : struct, Enum => Enum.GetValues<T>().First(value => NameOf(value) == name);
}
