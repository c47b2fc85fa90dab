from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
class Serializer(JsonPlusSerializer):
    def dumps_typed(self,obj): return super().dumps_typed(obj)
    def dumps_plain(self,obj): return super().dumps_typed(obj)
