using CredBroker.Core.Registry;
using Google.Protobuf;

namespace CredBroker.AspNetCore.Mapping;

/// <summary>How one kind of administered resource is carried between the contract and the registry.</summary>
/// <param name="Type">The kind.</param>
/// <param name="Field">How requests call the resource, for violations.</param>
/// <param name="ToProto">The resource of a specification, without the common fields.</param>
/// <param name="ToSpec">The specification of a resource.</param>
internal sealed record ResourceMapping<TSpec, TProto>(ResourceType<TSpec> Type, string Field, Func<Registered<TSpec>, TProto> ToProto, Func<TProto, TSpec> ToSpec)
    where TSpec : class
    where TProto : class, IMessage<TProto>, IDeepCloneable<TProto>;
