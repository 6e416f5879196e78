using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CredBroker.Cli.Tests.Fakes;

/// <summary>The administered resources of the fake broker.</summary>
internal static class FakeRegistry
{
    private static readonly Empty Nothing = new();

    public static Task<T> CreateAsync<T>(FakeState state, IMessage request, ServerCallContext context, string name, T resource)
        where T : IMessage<T> => state.AnswerAsync(request, context, () =>
    {
        if (state.Registry.ContainsKey(name)) throw FakeState.Fault(StatusCode.AlreadyExists, "ALREADY_EXISTS", $"{name} is there.");
        return Put(state, name, resource.Clone(), 1);
    });

    public static Task<T> GetAsync<T>(FakeState state, IMessage request, ServerCallContext context, string name)
        where T : IMessage<T> => state.AnswerAsync(request, context, () => Find<T>(state, name));

    public static Task<TPage> ListAsync<T, TPage>(FakeState state, IMessage request, ServerCallContext context, string prefix, Action<TPage, IEnumerable<T>> fill)
        where T : IMessage<T>
        where TPage : new() => state.AnswerAsync(request, context, () =>
    {
        var page = new TPage();
        fill(page, state.Registry.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(pair => pair.Value).OfType<T>());
        return page;
    });

    public static Task<T> UpdateAsync<T>(FakeState state, IMessage request, ServerCallContext context, string name, T resource, string etag, FieldMask mask)
        where T : IMessage<T> => state.AnswerAsync(request, context, () =>
    {
        var current = Find<T>(state, name);
        if (mask is not { Paths: ["*"] }) throw FakeState.Fault(StatusCode.InvalidArgument, "UPDATE_MASK_INVALID", "The fake replaces all.");
        if (Value<string>(current, "etag") != etag) throw FakeState.Fault(StatusCode.Aborted, "ETAG_MISMATCH", "It changed meanwhile.");
        return Put(state, name, resource.Clone(), Value<long>(current, "version") + 1);
    });

    public static Task<Empty> DeleteAsync(FakeState state, IMessage request, ServerCallContext context, string name) =>
        state.AnswerAsync(request, context, () => state.Registry.Remove(name) ? Nothing : throw FakeState.NotFound(name));

    private static T Put<T>(FakeState state, string name, T resource, long version)
        where T : IMessage<T>
    {
        Set(resource, "name", name);
        Set(resource, "uid", "00000000000000000000000007");
        Set(resource, "version", version);
        Set(resource, "etag", $"etag-{version}");
        Set(resource, "create_time", new Timestamp { Seconds = 1_900_000_000 });
        Set(resource, "managed_by", "api");
        state.Registry[name] = resource;
        return resource;
    }

    private static T Find<T>(FakeState state, string name) => state.Registry.TryGetValue(name, out var found) ? (T)found : throw FakeState.NotFound(name);

    private static T Value<T>(IMessage message, string field) => (T)message.Descriptor.FindFieldByName(field).Accessor.GetValue(message);

    private static void Set(IMessage message, string field, object value) => message.Descriptor.FindFieldByName(field).Accessor.SetValue(message, value);
}
