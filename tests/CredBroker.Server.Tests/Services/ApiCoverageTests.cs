using System.Reflection;
using CredBroker.AspNetCore.Services;
using CredBroker.Contracts;

namespace CredBroker.Server.Tests.Services;

[TestFixture]
internal sealed class ApiCoverageTests
{
    /// <summary>The generated base answers UNIMPLEMENTED to whatever nobody overrides.</summary>
    [Test]
    public void Serves_every_method_of_the_contract()
    {
        var served = typeof(TasksApi).Assembly.GetTypes()
            .Where(type => type.BaseType?.GetCustomAttribute<Grpc.Core.BindServiceMethodAttribute>() is not null)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(method => $"{type.BaseType!.DeclaringType!.Name}.{method.Name}"));

        Assert.That(
            ContractDescriptors.Files.SelectMany(file => file.Services).SelectMany(service => service.Methods.Select(method => $"{service.Name}.{method.Name}")),
            Is.SubsetOf(served));
    }
}
